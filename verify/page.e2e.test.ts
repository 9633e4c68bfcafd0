/** The page in a real browser, opened from disk: an extract is dropped in, and the verdict is read. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { chromiumPath, launchBrowser, troublesOf } from '../console/testing/browser.ts'
import { skipUnless } from '../infra/toolchain/require.ts'
import { linesOf, putTogether, setLines } from './testing/extract-file.ts'
import { honestExtract } from './testing/honest-extract.ts'

const pageUrl = pathToFileURL(fileURLToPath(new URL('verify.html', import.meta.url))).href

describe('the page of the verifier', {
  skip: skipUnless('browser', chromiumPath !== undefined, 'no Chromium'),
}, () => {
  let browser: Browser
  let page: Page
  let folder: string
  let troubles: string[]
  let requests: string[]
  let honest: Awaited<ReturnType<typeof honestExtract>>
  before(async () => {
    honest = await honestExtract('page')
    folder = mkdtempSync(join(tmpdir(), 'bioledger-page-'))
    browser = await launchBrowser()
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    troubles = troublesOf(page)
    requests = []
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(pageUrl)
  })
  after(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function verdictOf(zip: Buffer, key: string): Promise<string> {
    const file = join(folder, 'extract.zip')
    writeFileSync(file, zip)
    await page.goto(pageUrl)
    await page.fill('#key', key)
    await page.setInputFiles('#file', file)
    await page.locator('#result').waitFor({ state: 'visible', timeout: 60_000 })
    return (await page.locator('#verdict').textContent()) ?? ''
  }

  test('says VERIFIED for an honest extract, check by check, and tells what happened', async () => {
    assert.match(await verdictOf(honest.zip, honest.logKey.verifierKey), /^VERIFIED as of size \d+ /)
    const checks = await page.locator('#checks tr').allTextContents()
    assert.ok(checks.filter((text) => text.startsWith('PASS')).length >= 12, checks.join('\n'))
    assert.ok(!checks.some((text) => text.startsWith('FAIL')))
    const story = await page.locator('#story').textContent()
    assert.match(story ?? '', /p-017 recorded sample 1 at 1\.50 h: OD600 7\.5 \(0\.75 × 10\)/)
    assert.match((await page.locator('#approvals').textContent()) ?? '', /p-002approved the closure/)
  })

  test('names the bad event of an extract that was tampered with', async () => {
    const members = honest.members()
    setLines(
      members,
      linesOf(members).map((line) =>
        line.includes('"revision":"7"') && line.includes('SensorReadingRecorded')
          ? line.replace(/"value":[^}]*}/, '"value":5,"vessel":"V-01"}')
          : line,
      ),
    )
    assert.match(await verdictOf(putTogether(members), honest.logKey.verifierKey), /^FAILED/)
    const failed = await page.locator('#checks tr.fail').allTextContents()
    assert.ok(
      failed.some((text) => text.includes(`reading-${honest.batchId} revision 7`)),
      failed.join('\n'),
    )
  })

  test('without a key says that nobody vouches for it', async () => {
    assert.match(await verdictOf(honest.zip, ''), /^CONSISTENT WITH ITSELF/)
  })

  test('takes a file that is dropped on it', async () => {
    await page.goto(pageUrl)
    await page.fill('#key', honest.logKey.verifierKey)
    const data = await page.evaluateHandle((base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([bytes], 'extract.zip'))
      return transfer
    }, honest.zip.toString('base64'))
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: data })
    await page.locator('#result').waitFor({ state: 'visible', timeout: 60_000 })
    assert.match((await page.locator('#verdict').textContent()) ?? '', /^VERIFIED as of size \d+ /)
  })

  test('asks the network for nothing and raises no error', () => {
    assert.deepEqual(
      requests.filter((url) => !url.startsWith('file:')),
      [],
    )
    assert.deepEqual(troubles, [])
  })
})
