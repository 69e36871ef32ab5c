import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { log, spinner } from '@clack/prompts'
import type { AnswerOf, WebApi } from '@origami/protocol/control'
import { Command } from 'commander'
import { Api, parseServerAddress } from '../api.ts'
import { Failure } from '../failure.ts'
import { patiently } from '../patiently.ts'
import { plainText } from '../plain-text.ts'
import { keepSignedIn } from '../signed-in.ts'

/** A server's answer to a device that wants to sign in: RFC 8628, section 3.2. Times are in seconds. */
type DeviceCode = AnswerOf<WebApi['POST /-/api/device']>
type Granted = AnswerOf<WebApi['POST /-/api/device/token']>

const refusals: Readonly<Record<string, string>> = {
  access_denied: 'it was denied in the browser; nothing was kept',
  expired_token: 'nobody confirmed it in time; origami login again for a new code',
  used: 'the code was used already; origami login again for a new one',
}

export const loginVerb = () =>
  new Command('login')
    .description(
      'sign in to a server: shows a code that you confirm in a browser, and keeps a token in ~/.origami/servers.json',
    )
    .argument('<server>', 'its address, such as http://127.0.0.1:8000')
    .option('--json', 'print JSON lines: the code, then who signed in')
    .action(async (server: string, { json = false }: { json?: boolean }) => {
      if (!json && !(process.stdin.isTTY && process.stdout.isTTY))
        throw new Failure(
          'expected a terminal to show a code in; elsewhere put a token of the account page into ORIGAMI_TOKEN',
        )
      const url = parseServerAddress(server)
      const api = new Api(url)
      const code = await api.call('POST /-/api/device', { body: { host: hostname() } })
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      const { token, handle } = await (json ? shownAsJson : shown)(code, () => granted(api, code, interrupted.signal))
      await keepSignedIn(url, token, handle)
      console.log(json ? JSON.stringify({ server: url, handle }) : `Signed in to ${url} as ${handle}.`)
    })

async function shown(code: DeviceCode, wait: () => Promise<Granted>): Promise<Granted> {
  log.info(plainText(`Open ${code.verification_uri_complete}\nand confirm the code ${code.user_code}`))
  const waiting = spinner()
  waiting.start('Waiting for you in the browser')
  try {
    const grant = await wait()
    waiting.stop('Confirmed')
    return grant
  } catch (error) {
    waiting.error('Not signed in')
    throw error
  }
}

function shownAsJson({ device_code: _secret, ...code }: DeviceCode, wait: () => Promise<Granted>): Promise<Granted> {
  console.log(JSON.stringify(code))
  return wait()
}

/**
 * Polls until the sign-in is confirmed, at the interval that the server sets. Throws Failure when it cannot be
 * confirmed any more.
 */
async function granted(
  api: Api,
  { device_code, interval, expires_in }: DeviceCode,
  signal: AbortSignal,
): Promise<Granted> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(expires_in * 1000)])
  for (let seconds = interval; ; ) {
    // The lines below find out why the wait was aborted.
    await setTimeout(seconds * 1000, undefined, { signal: within }).catch(() => undefined)
    if (signal.aborted) throw new Failure('left before it was confirmed; nothing was kept')
    const answer = await patiently(() => asked(api, device_code), signal)
    if ('token' in answer) return answer
    const refusal = refusals[answer.reason]
    if (refusal) throw new Failure(refusal)
    if (within.aborted) throw new Failure(refusals.expired_token ?? '')
    if (answer.reason === 'slow_down') seconds += 5
  }
}

/** The token, or the reason why it is not given yet or at all. */
async function asked(api: Api, device_code: string): Promise<Granted | { reason: string }> {
  return api.call('POST /-/api/device/token', { body: { device_code } }).catch((error: unknown) => {
    if (error instanceof Failure && error.reason !== undefined) return { reason: error.reason }
    throw error
  })
}
