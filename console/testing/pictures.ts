/** Pictures of the page in every scenario: `node --import tsx console/testing/pictures.ts <folder> [scenario …]`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { type Scenario, startFixtureServer } from './fixture-server.ts'

const [folder = 'pictures', ...wanted] = process.argv.slice(2)
const scenarios = (
  wanted.length > 0 ? wanted : ['running', 'closed', 'empty', 'unauthorised', 'no-readings']
) as Scenario[]
await mkdir(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
try {
  for (const scenario of scenarios) {
    const server = await startFixtureServer(scenario)
    for (const [width, height] of [
      [1280, 800],
      [390, 844],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height } })
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
          process.stderr.write(`${scenario} ${width}: ${message.text()}\n`)
      })
      page.on('pageerror', (error) => process.stderr.write(`${scenario} ${width}: ${error.stack}\n`))
      await page.goto(server.url)
      await page.locator('main').waitFor()
      if (['running', 'closed', 'stalled', 'unbalanced'].includes(scenario)) {
        await page.locator('.u-over').first().waitFor()
        await page.waitForFunction(() => !document.body.textContent?.includes('Asking for the series'))
      }
      if (scenario === 'running') await page.waitForTimeout(2500)
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
      )
      if (wide) process.stderr.write(`${scenario} ${width}: the page scrolls sideways\n`)
      await page.screenshot({ path: join(folder, `${scenario}-${width}.png`) })
      await page.screenshot({ path: join(folder, `${scenario}-${width}-full.png`), fullPage: true })
      await page.close()
    }
    server.stop()
  }
} finally {
  await browser.close()
}
