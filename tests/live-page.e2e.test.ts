/** The page on the real product: started as its user starts it, opened by the printed link in a real Chromium. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import {
  chromiumPath,
  isDrawn,
  launchBrowser,
  scrollsSideways,
  troublesOf,
  viewports,
} from '../console/testing/browser.ts'
import { until } from '../infra/testing/until.ts'
import { skipUnless } from '../infra/toolchain/require.ts'
import { type RunningProduct, root, startProduct } from './support/product.ts'

const skip =
  skipUnless('browser', chromiumPath !== undefined, 'Chromium is not installed') ||
  skipUnless(
    'console',
    existsSync(join(root, 'console/dist/index.html')),
    'console/dist is not built (npm run build:console)',
  )

let folder: string
let product: RunningProduct
let browser: Browser
let page: Page
let troubles: string[]
before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'bioledger-page-'))
  await chmod(folder, 0o755)
  product = await startProduct({
    dataFolder: folder,
    environment: { BIOLEDGER_SIMULATE: 'N', BIOLEDGER_SIMULATE_SPEED: '60' },
  })
  browser = await launchBrowser()
  page = await browser.newPage({ viewport: viewports[0], timezoneId: 'Europe/Vienna' })
  page.setDefaultTimeout(60_000)
  troubles = troublesOf(page)
})
after(async () => {
  if (skip) return
  await browser?.close()
  await product?.stop()
  await rm(folder, { recursive: true, force: true })
})

type Ingress = { received: number; stored: number; duplicate: number; quarantined: number }
type Current = { tag: string; value: number; at: string; decimals: number }

test('without the one-time link the page shows no data and says what to open', { skip }, async () => {
  await page.goto(product.url)
  await page.getByRole('heading', { name: 'This browser has no session' }).waitFor()
  await page.getByText(/one-time link that the start printed/).waitFor()
})

test('the printed link opens the running batch, said to be simulated', { skip }, async () => {
  await page.goto(product.openLink)
  await page.locator('header .origin-word').waitFor()
  assert.equal(await page.locator('header .origin-word').textContent(), 'SIMULATED')
  await page.locator('.facts').getByText('running', { exact: true }).waitFor()
  await page.locator('.facts').getByText('live', { exact: true }).waitFor()
})

test('every tile has a value of good quality that is not stale, and charts are drawn', { skip }, async () => {
  await until('six values', async () => (await page.locator('.tile .number').count()) === 6)
  await until(
    'six good values',
    async () => (await page.locator('.tile:not(.stale) .status', { hasText: 'good' }).count()) === 6,
  )
  await until('six charts', async () => (await page.locator('.u-over').count()) >= 6)
  await until('ink on the charts', async () => {
    for (let chart = 0; chart < 6; chart += 1) if (!(await isDrawn(page, chart))) return false
    return true
  })
})

test('the page follows the batch without being loaded anew', { skip }, async () => {
  const words = () => page.locator('.elapsed').textContent()
  const before = await words()
  await until('elapsed time moves', async () => (await words()) !== before, 60_000)
  const balance = page.locator('.balance')
  const first = await balance.textContent()
  await until('the ingress balance moves', async () => (await balance.textContent()) !== first, 60_000)
  await page.getByText('balanced', { exact: true }).waitFor()
})

test('the forecast in force is on the page with its model, and so are the values derived every 30 s', {
  skip,
}, async () => {
  await page
    .getByText(/^Forecast issued \d\d:\d\d:\d\d by \S+ \d+\.\d+\.\d+ \(sha [0-9a-f]{4}…\)|^Undecided:/)
    .waitFor({ timeout: 120_000 })
  await page.getByRole('region', { name: 'CO2 evolution, O2 uptake and transfer rate' }).waitFor()
  const models = page.getByRole('region', { name: 'Models' })
  await models.getByText('active', { exact: true }).waitFor()
  await models.getByText(/^for .*simulated/).waitFor()
  const [card] = await Promise.all([
    page.waitForEvent('popup'),
    models.getByRole('link', { name: 'Model card' }).click(),
  ])
  await card.getByRole('heading', { name: /card/i }).waitFor()
  await card.close()
})

test('a past instant shows the forecast that was in force then', { skip }, async () => {
  const { items } = await product.get<{ items: { id: string }[] }>('/api/v1/batches')
  const id = items[0]?.id ?? assert.fail('no batch')
  type Newest = { items: { issuedAt: string; modelHash: string }[]; asOf: { recordedAt: string } }
  const newest = (asOf = '') =>
    product.get<Newest>(`/api/v1/batches/${id}/forecasts?order=desc&limit=1${asOf}`)
  const then = await newest()
  const known = await newest(`&asOf=${then.asOf.recordedAt}`)
  const issuedAt = known.items[0]?.issuedAt ?? assert.fail('no forecast')
  await until('a later forecast', async () => (await newest()).items[0]?.issuedAt !== issuedAt, 60_000)
  await page.goto(`${product.url}/?batch=${id}&asOf=${then.asOf.recordedAt}`)
  const shown = new Date(issuedAt).toLocaleTimeString('en-GB', { timeZone: 'Europe/Vienna' })
  await page
    .locator('.forecast-words')
    .getByText(new RegExp(`(issued|withheld) ${shown} by`))
    .waitFor()
  await page.getByRole('button', { name: 'Back to live' }).click()
  await page.locator('.facts').getByText('live', { exact: true }).waitFor()
})

test('the timeline tells in sentences that the batch was created and inoculated', { skip }, async () => {
  await page
    .locator('.timeline')
    .getByText(/created batch 1 of campaign/)
    .waitFor()
  await page
    .locator('.timeline')
    .getByText(/inoculated the batch \(T = 0\)/)
    .waitFor()
})

test('a past instant shows what the API answers for it, and the same again after a reload', {
  skip,
}, async () => {
  const { items } = await product.get<{ items: { id: string }[]; asOf: { recordedAt: string } }>(
    '/api/v1/batches',
  )
  const id = items[0]?.id ?? assert.fail('no batch')
  const { asOf } = await product.get<{ asOf: { recordedAt: string } }>(`/api/v1/batches/${id}`)
  const past = `asOf=${asOf.recordedAt}`
  const state = await product.get<{ current: Current[] }>(`/api/v1/batches/${id}?${past}`)
  const ingress = await product.get<Ingress>(`/api/v1/batches/${id}/ingress?${past}`)
  await page.goto(`${product.url}/?batch=${id}&${past}`)
  for (const visit of ['first', 'second']) {
    await page.getByText(/^Viewing the record as known at /).waitFor()
    await page.getByText('off (past view)').waitFor()
    const ph = state.current.find(({ tag }) => tag === 'pH') ?? assert.fail('no pH')
    await page.locator('.tile .number').first().waitFor()
    assert.equal(
      await page.locator('.tile .number').first().textContent(),
      ph.value.toFixed(ph.decimals),
      `${visit} visit`,
    )
    await page.locator('.balance').waitFor()
    const shown = ((await page.locator('.balance').textContent()) ?? '').replaceAll(/[\s\u202f]/g, '')
    assert.equal(
      shown,
      `${ingress.received}received=${ingress.stored}stored+${ingress.duplicate}duplicate+${ingress.quarantined}quarantined`,
    )
    if (visit === 'first') await page.reload()
  }
  await page.getByRole('button', { name: 'Back to live' }).click()
  await page.locator('.facts').getByText('live', { exact: true }).waitFor()
})

test('the page works at both sizes without scrolling sideways', { skip }, async () => {
  for (const viewport of viewports) {
    await page.setViewportSize(viewport)
    await until('charts of this width', async () => (await page.locator('.u-over').count()) >= 6)
    assert.equal(await scrollsSideways(page), false, `${viewport.width} px`)
    const picture = process.env.BIOLEDGER_PICTURES
    if (picture) await page.screenshot({ path: join(picture, `live-page-${viewport.width}.png`) })
  }
  await page.setViewportSize(viewports[0])
})

test('when the product stops the page says so and keeps what was last known', { skip }, async () => {
  await product.stop()
  await page.getByText('The server does not answer.').waitFor()
  await page.getByText('lost, reconnecting').waitFor()
  assert.equal(await page.locator('.tile .number').count(), 6)
  assert.deepEqual(troubles, [], 'errors of the page or refusals of its content security policy')
})
