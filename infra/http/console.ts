/** Serves the built web console: `index.html` at `/`, its assets beside it. The files hold no data, so they are public. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import { z } from 'zod'
import { ProblemError } from './problem.ts'
import type { HttpServer } from './server.ts'

/** `/?batch=…&asOf=…` are addresses that the page reads itself; the server has no say in them. */
const pageAddress = z.record(z.string(), z.unknown())

/** `folder` is the build's output; where it is not there, `/` answers a problem that says how to build it. */
export async function registerConsole(server: HttpServer, folder: string): Promise<void> {
  if (!(await isFile(join(folder, 'index.html')))) {
    server.route({
      method: 'GET',
      url: '/',
      config: { access: 'public' },
      schema: { hide: true },
      handler: async () => {
        throw new ProblemError({
          status: 404,
          code: 'console-not-built',
          detail: 'the web console is not built on this machine: npm run build:console, then start again',
        })
      },
    })
    return
  }
  await server.register(fastifyStatic, { root: folder, serve: false })
  const page = (url: string, file: string) =>
    server.route({
      method: 'GET',
      url,
      config: { access: 'public' },
      schema: { hide: true, querystring: pageAddress },
      handler: (_request, reply) =>
        reply.header('cache-control', 'no-cache').sendFile(file, { cacheControl: false }),
    })
  page('/', 'index.html')
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isFile() && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(entry.name)) page(`/${entry.name}`, entry.name)
  server.route({
    method: 'GET',
    url: '/assets/*',
    config: { access: 'public' },
    schema: { hide: true },
    // Their names carry a hash of what is in them.
    handler: (request, reply) =>
      reply.sendFile(`assets/${(request.params as { '*': string })['*']}`, {
        maxAge: '365d',
        immutable: true,
      }),
  })
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
