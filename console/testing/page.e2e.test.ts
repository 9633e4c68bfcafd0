/** The page in a real Chromium against a made-up batch: every state that is hard to bring a product into. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { until } from '../../infra/testing/until.ts'
import { skipUnless } from '../../infra/toolchain/require.ts'
import { chromiumPath, isDrawn, launchBrowser, scrollsSideways, troublesOf, viewports } from './browser.ts'
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
  page.setDefaultTimeout(120_000)
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
        // A chart is drawn anew when another of its lines arrives.
        for (let chart = 0; chart < 5; chart += 1)
          await until(`chart ${chart} is drawn`, () => isDrawn(page, chart))
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
    await row.getByText('bad', { exact: true }).waitFor()
    assert.equal(await page.locator('.tile.stale').count(), 0)
  }),
)

test('dragging zooms every chart, double-clicking resets', { skip }, () =>
  open('closed', async (page) => {
    // A chart is drawn anew when another of its lines arrives: wait until all of them have.
    const over = page.locator('.u-over').nth(1)
    await over.waitFor()
    await page.getByText('Asking for the series').waitFor({ state: 'detached' })
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
        /of \d s$|every (reading|window)/.test(words),
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

test('a cursor set before the series have come stays on the axis that they give', { skip }, () =>
  open('closed', async (page) => {
    const held = Promise.withResolvers<void>()
    await page.route('**/series?**', async (route) => {
      await held.promise
      await route.continue()
    })
    await page.reload()
    await page.locator('#chart-cursor').focus()
    await page.keyboard.press('Home')
    await page.getByText(/^Cursor T−1:00:00/).waitFor()
    held.resolve()
    await page.getByText(/^Cursor T\+0:00:00/).waitFor()
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
  ['running', '?asOfPosition=120', /^This page looks back to an instant, not to a position$/],
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

test(
  'the forecast in force says when, by which model, how far, and how often its interval held',
  { skip },
  () =>
    open('running', async (page) => {
      await page.getByText(/issued \d\d:\d\d:\d\d by od600 1\.0\.0 \(sha 3fa4…\)/).waitFor()
      await page.getByText('17/20 = 85 % of 90 %').waitFor()
      await page.getByText('forecast p50, 90 % interval').waitFor()
      await page.getByText('soft sensor (without the OD probe)').waitFor()
      await page.getByText('Largest contributions (log OD600): OUR +0.113').waitFor()
      await page.getByLabel('Past forecasts').check()
      await page.getByRole('button', { name: 'Data table' }).click()
      const table = page.getByRole('table', { name: 'Forecast of OD600 (AU)' })
      assert.equal(await table.getByRole('row').count(), 6)
      await page
        .getByRole('table', { name: 'No forecast issued' })
        .getByText('too many values missing: DO missing for 8 min')
        .waitFor()
    }),
)

test('a forecast moves on with the live feed', { skip }, () =>
  open('running', async (page) => {
    const words = page.locator('.forecast-words')
    await words.getByText('Forecast issued').waitFor()
    const first = await words.textContent()
    await until('a newer forecast', async () => (await words.textContent()) !== first)
  }),
)

test('a withheld forecast stands as undecided with its reason, the model as suspended', { skip }, () =>
  open('withheld', async (page) => {
    await page.getByText('Undecided:').waitFor()
    await page.getByText(/outside trained range: temperature 34\.1 °C, trained up to 32 °C\.$/).waitFor()
    assert.equal(await page.getByText('forecast p50, 90 % interval').count(), 0)
    const models = page.getByRole('region', { name: 'Models' })
    await models.getByText('suspended').waitFor()
    await models.getByText('12 of 20 covered (coverage)').waitFor()
    await models.getByText('History', { exact: true }).click()
    await models.getByText('qa-2 approved model od600 1.0.0 for simulated, replayed data').waitFor()
  }),
)

test('samples and forecasts are drawn where no online probe sends OD600', { skip }, () =>
  open('no-probe', async (page) => {
    await page.getByText('offline samples (7)').waitFor()
    await page.getByText('OD600 (online): no reading').waitFor()
    assert.equal(await page.getByRole('img', { name: 'Chart of OD600' }).count(), 1)
    await until('ink on the chart', () => isDrawn(page, 0))
  }),
)

test('derived values have panes of their own, with units and the reasons of their gaps', { skip }, () =>
  open('closed', async (page) => {
    const quotient = page.getByRole('region', { name: 'Respiratory quotient' })
    await quotient.getByText('One stretch without a value: low signal').click()
    await quotient.getByText(/^Respiratory quotient: 0:0\d:\d\d to 3:5\d:\d\d: low signal$/).waitFor()
    await page.getByRole('region', { name: 'CO2 evolution' }).getByText('mmol/L/h').first().waitFor()
  }),
)

test(
  'all that is derived can be looked at: the further values and their limits on demand, the phase in words',
  {
    skip,
  },
  () =>
    open('running', async (page) => {
      await page.getByText(/^Phase of growth: lag, exponential from 3:/).waitFor()
      await page.getByText('on glycerol 0.55 to 0.85 expected').waitFor()
      assert.equal(await page.getByRole('region', { name: 'Specific O2 uptake' }).count(), 0)
      await page.getByText('More derived values').click()
      for (const [pane, unit] of [
        ['Specific O2 uptake', 'mmol/g/h'],
        ['Dry biomass and liquid volume', 'g/L'],
        ['Cumulative CO2 evolved', 'mmol/L'],
        ['Time that the cumulative sums', 's'],
        ['Closure of the carbon', '%'],
        ['Temperature differences', 'mbar'],
      ] as const)
        await page.getByRole('region', { name: pane }).getByText(unit, { exact: true }).first().waitFor()
      assert.equal(await scrollsSideways(page), false)
    }),
)

test(
  'of a reduced series no extreme is shown as the newest value or as the value at an instant',
  { skip },
  () =>
    open('closed', async (page) => {
      await page.waitForLoadState('networkidle')
      const legend = page.getByRole('region', { name: 'Dissolved oxygen' }).locator('.legend b').first()
      await until('the newest value', async () => /^\d+\.\d$/.test((await legend.textContent()) ?? ''))
      const tile = page.locator('.tile', { hasText: 'Dissolved oxygen' }).locator('.number')
      assert.equal(await legend.textContent(), await tile.textContent())
      await page.locator('#chart-cursor').focus()
      await page.keyboard.press('ArrowLeft')
      await until('a range', async () => /^\d+\.\d … \d+\.\d$/.test((await legend.textContent()) ?? ''))
    }),
)

test('forecasts are shown as they were known at the instant viewed', { skip }, () =>
  open('running', async (page) => {
    const words = page.locator('.forecast-words')
    await words.getByText('Forecast issued').waitFor()
    await page.getByRole('button', { name: '−1 min' }).click()
    await page.getByText(/^Viewing the record as known at /).waitFor()
    await words.getByText('Forecast issued').waitFor()
    const then = await words.textContent()
    await page.getByRole('button', { name: 'Back to live' }).click()
    await until('the present forecast', async () => {
      const now = (await words.textContent().catch(() => null)) ?? then
      return now !== then
    })
  }),
)
