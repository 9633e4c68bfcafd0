/** A real Chromium for tests of the page, and whether this machine has one. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const chromiumPath: string | undefined = places.find((path) => existsSync(path))

export function launchBrowser(): Promise<Browser> {
  if (!chromiumPath) throw new Error(`no Chromium at ${places.join(', ')}`)
  return chromium.launch({
    executablePath: chromiumPath,
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
}

/** The two sizes that the page is designed for. */
export const viewports = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
] as const

/** Errors of the page and refusals of its content security policy, as they happen. */
export function troublesOf(page: Page): string[] {
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(String(error.stack ?? error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      troubles.push(message.text())
  })
  return troubles
}

export async function scrollsSideways(page: Page): Promise<boolean> {
  return await page.evaluate<boolean>(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )
}

/** Whether the n-th chart has ink on it: its canvas is not of one colour. */
export async function isDrawn(page: Page, chart: number): Promise<boolean> {
  return await page.evaluate<boolean>(`(() => {
    const canvas = document.querySelectorAll('.uplot canvas')[${chart}]
    if (!canvas || canvas.width === 0) return false
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
    let dark = 0
    for (let index = 0; index < pixels.length; index += 4)
      if (pixels[index + 3] > 200 && pixels[index] < 80) dark += 1
    return dark > 200
  })()`)
}
