import { type Browser, type BrowserContext, chromium } from 'playwright-core'

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The system's Chromium. `ORIGAMI_CHROMIUM` names another place. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.ORIGAMI_CHROMIUM ?? '/usr/bin/chromium', args })

export const wide = { width: 1280, height: 900 }
export const phone = { width: 390, height: 844 }

/** A fresh profile: nobody is signed in, no visitor is known. */
export const newVisitor = (
  browser: Browser,
  colorScheme: 'light' | 'dark' = 'light',
  viewport = wide,
): Promise<BrowserContext> => browser.newContext({ colorScheme, viewport })
