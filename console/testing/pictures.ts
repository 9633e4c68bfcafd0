/** Pictures of the page in every scenario: `node --import tsx console/testing/pictures.ts <folder> [scenario …]`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { launchBrowser, scrollsSideways, viewports } from './browser.ts'
import { type Scenario, startFixtureServer } from './fixture-server.ts'

const [folder = 'pictures', ...wanted] = process.argv.slice(2)
const scenarios = (
  wanted.length > 0 ? wanted : ['running', 'closed', 'empty', 'unauthorised', 'no-readings']
) as Scenario[]
await mkdir(folder, { recursive: true })
const browser = await launchBrowser()
try {
  for (const scenario of scenarios) {
    const server = await startFixtureServer(scenario)
    for (const { width, height } of viewports) {
      const page = await browser.newPage({ viewport: { width, height } })
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
          process.stderr.write(`${scenario} ${width}: ${message.text()}\n`)
      })
      page.on('pageerror', (error) => process.stderr.write(`${scenario} ${width}: ${error.stack}\n`))
      await page.goto(server.url)
      await page.locator('main').waitFor()
      if (['running', 'withheld', 'no-probe', 'closed', 'stalled', 'unbalanced'].includes(scenario)) {
        await page.locator('.u-over').first().waitFor()
        await page.getByText('Asking for the series').waitFor({ state: 'detached' })
      }
      if (scenario === 'running') await page.waitForTimeout(2500)
      if (await scrollsSideways(page))
        process.stderr.write(`${scenario} ${width}: the page scrolls sideways\n`)
      await page.screenshot({ path: join(folder, `${scenario}-${width}.png`) })
      await page.screenshot({ path: join(folder, `${scenario}-${width}-full.png`), fullPage: true })
      await page.close()
    }
    server.stop()
  }
} finally {
  await browser.close()
}
