/** The page in a real Chromium against a made-up batch: every state that is hard to bring a product into. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { skipUnless } from '../../infra/toolchain/require.ts'
import {
  chromiumPath,
  isDrawn,
  launchBrowser,
  scrollsSideways,
  troublesOf,
  until,
  viewports,
} from './browser.ts'
import { type Scenario, startFixtureServer } from './fixture-server.ts'

const built = existsSync(fileURLToPath(new URL('../dist/index.html', import.meta.url)))
const skip =
  skipUnless('browser', chromiumPath !== undefined, 'Chromium is not installed') ||
  skipUnless('console', built, 'console/dist is not built (npm run build:console)')

let browser: Browser
before(async () => {
  if (!skip) browser = await launchBrowser()
})
after(async () => {
  if (!skip) await browser.close()
})

async function open(
  scenario: Scenario,
  work: (page: Page, server: { url: string; stop: () => void }) => Promise<void>,
  viewport: { width: number; height: number } = viewports[0],
  search = '',
): Promise<void> {
  const server = await startFixtureServer(scenario)
  const page = await browser.newPage({ viewport, timezoneId: 'Europe/Vienna' })
  page.setDefaultTimeout(20_000)
  const troubles = troublesOf(page)
  try {
    await page.goto(`${server.url}/${search}`)
    await work(page, server)
    assert.deepEqual(troubles, [])
  } finally {
    await page.close()
    server.stop()
  }
}

for (const viewport of viewports)
  test(`the running batch is shown whole at ${viewport.width} px without scrolling sideways`, { skip }, () =>
    open(
      'running',
      async (page) => {
        await page.locator('.u-over').nth(4).waitFor()
        await page.getByText('reduced: min/max of').first().waitFor()
        assert.equal(await scrollsSideways(page), false)
        assert.equal(await page.locator('header .origin-word').textContent(), 'SIMULATED')
        assert.equal(await page.locator('.tile').count(), 6)
        for (let chart = 0; chart < 5; chart += 1) assert.ok(await isDrawn(page, chart), `chart ${chart}`)
        await page.getByText('Not drawn, because no reading was recorded: Gas flows.').waitFor()
        await page.getByText('offline samples (7)').waitFor()
        const small = await page.evaluate<
          string[]
        >(`[...document.querySelectorAll('button, select, summary, .segments label')]
          .filter((element) => element.getBoundingClientRect().height < 44).map((element) => element.textContent)`)
        assert.deepEqual(small, [], 'targets under 44 px')
      },
      viewport,
    ),
  )

test('values move with the live feed and one that falls silent goes stale', { skip }, () =>
  open('running', async (page) => {
    const elapsed = page.locator('.elapsed')
    await elapsed.waitFor()
    const first = await elapsed.textContent()
    await until('elapsed time moves', async () => (await elapsed.textContent()) !== first)
    const row = page.getByRole('row', { name: /Exhaust temperature/ })
    await row.getByText('stale').waitFor()
    assert.equal(await page.locator('.tile.stale').count(), 0)
  }),
)

test('dragging zooms every chart, double-clicking resets', { skip }, () =>
  open('closed', async (page) => {
    // A chart is drawn anew when another of its lines arrives: wait until all of them have.
    await page.waitForLoadState('networkidle')
    const over = page.locator('.u-over').nth(1)
    await over.waitFor()
    await over.scrollIntoViewIfNeeded()
    const place = () => over.boundingBox().then((box) => box ?? assert.fail('the chart has no place'))
    const before = await place()
    await page.mouse.move(before.x + 200, before.y + 40)
    await page.mouse.down()
    await page.mouse.move(before.x + 260, before.y + 40, { steps: 4 })
    await page.mouse.up()
    await page.getByRole('button', { name: 'Reset zoom' }).waitFor()
    await until('less reduction', async () =>
      (await page.locator('.reduced').allTextContents()).every((words) =>
        /of \d s$|every reading/.test(words),
      ),
    )
    const now = await place()
    await page.mouse.dblclick(now.x + 100, now.y + 40)
    await page.getByRole('button', { name: 'Reset zoom' }).waitFor({ state: 'detached' })
  }),
)

test('the cursor is moved by keyboard and a chart is read as a table', { skip }, () =>
  open('closed', async (page) => {
    await page.locator('.u-over').first().waitFor()
    await page.locator('#chart-cursor').focus()
    await page.keyboard.press('Home')
    await page.getByText(/^Cursor T\+0:00:00/).waitFor()
    await page.getByRole('button', { name: 'Data table' }).click()
    await page.getByRole('columnheader', { name: 'OD600 (online) (AU)' }).waitFor()
    assert.equal(await page.locator('.u-over').count(), 0)
  }),
)

test('a past instant is shown under a banner, not followed live, and left again', { skip }, () =>
  open('running', async (page) => {
    await page.locator('.tile').first().waitFor()
    await page.getByRole('button', { name: '−1 min' }).click()
    await page.getByText(/^Viewing the record as known at /).waitFor()
    await page.getByText('off (past view)').waitFor()
    assert.match(page.url(), /asOf=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z/)
    assert.match(await page.title(), /^As of .*SIMULATED/)
    await page.getByLabel(/^Record as known at/).fill('tomorrow')
    await page.getByRole('button', { name: 'View' }).click()
    await page.getByText('write the time as YYYY-MM-DD hh:mm:ss').waitFor()
    await page.getByRole('button', { name: 'Back to live' }).click()
    await page.getByText('Viewing the record').waitFor({ state: 'detached' })
    assert.doesNotMatch(page.url(), /asOf/)
  }),
)

test('a balance that does not close says by how much', { skip }, () =>
  open('unbalanced', (page) => page.getByText('not balanced: 2 unaccounted for').waitFor()),
)

test('a server that goes away is said, and what was last known stays', { skip }, () =>
  open('running', async (page, server) => {
    await page.locator('.tile .number').first().waitFor()
    server.stop()
    await page.getByText('The server does not answer.').waitFor()
    await page.getByText('lost, reconnecting').waitFor()
    await page.locator('.tile.stale').first().waitFor()
    assert.equal(await page.locator('.tile .number').count(), 6)
  }),
)

const sentences: [Scenario, string, RegExp][] = [
  ['empty', '', /^No batch yet$/],
  ['unauthorised', '', /^This browser has no session$/],
  ['running', '?batch=019aa6f2-5f00-7a31-9c44-000000000000', /^There is no such batch$/],
  ['running', '?asOf=yesterday', /^The instant in the address cannot be read$/],
]
for (const [scenario, search, title] of sentences)
  test(`“${title.source.slice(1, -1)}” is one plain sentence`, { skip }, () =>
    open(
      scenario,
      async (page) => {
        await page.getByRole('heading', { name: title }).waitFor()
        assert.equal(await scrollsSideways(page), false)
      },
      viewports[1],
      search,
    ),
  )

test('a batch without readings draws no empty charts', { skip }, () =>
  open('no-readings', async (page) => {
    await page.getByText('the charts appear with the first one').waitFor()
    assert.equal(await page.locator('.u-over').count(), 0)
    assert.equal(await page.getByText('No reading recorded yet.').count(), 6)
  }),
)
