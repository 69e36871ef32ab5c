import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import { replaceTls, type TlsPaths } from '@origami/host/tls-files'
import type { WebLimits } from '../config.ts'
import type { DaemonClient } from '../daemon-client.ts'
import { certificateNames, daemonSubject, isDue, webSubject } from './certificates.ts'

const log = logger('certificates')

export interface RenewalParts {
  /** The web server's state folder. */
  readonly data: string
  readonly tls: TlsPaths
  readonly daemon: DaemonClient
  readonly limits: WebLimits
  readonly clock: () => number
}

const backOffMs = [1000, 5000, 15_000, 60_000]

/**
 * Renews the certificates of the web server and its daemon, over the connection that they secure, when less than a
 * third of their life is left.
 */
export class CertificateRenewal {
  private readonly parts: RenewalParts

  constructor(parts: RenewalParts) {
    this.parts = parts
  }

  /** Works until the signal aborts. A failed round is logged, and tried again after a growing wait. */
  async work(signal: AbortSignal): Promise<void> {
    let lastLogged = ''
    for (let failures = 0; !signal.aborted; ) {
      const failure = await this.round().then(
        () => '',
        (error: unknown) => (error instanceof Error ? `${error.message}${causeOf(error)}` : String(error)),
      )
      if (failure !== '' && failure !== lastLogged && !signal.aborted)
        log.error(`certificates cannot be looked after: ${failure}`)
      lastLogged = failure
      failures = failure === '' ? 0 : failures + 1
      const { certificateRoundMs } = this.parts.limits
      const wait = Math.min(
        certificateRoundMs,
        backOffMs[Math.min(failures, backOffMs.length) - 1] ?? certificateRoundMs,
      )
      // An aborted wait ends the loop by its condition.
      await setTimeout(wait, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** Renews the certificates that are due. Throws when the daemon is away or refuses. */
  async round(): Promise<void> {
    await this.renewOwn()
    await this.renewDaemon()
  }

  private async renewOwn(): Promise<void> {
    const { tls, limits, clock, daemon } = this.parts
    if (!isDue(new X509Certificate(await readFile(tls.cert)), clock())) return
    const authority = await this.authority()
    await replaceTls(tls, await authority.issue(webSubject(limits.certificateDays)))
    await daemon.reopen()
    log.info('The certificate of the web server was renewed.')
  }

  /** The names stay those of the daemon's present certificate, because a request's own names are ignored. */
  private async renewDaemon(): Promise<void> {
    const { daemon, limits, clock } = this.parts
    const shown = await daemon.certificate()
    if (!isDue(shown, clock())) return
    const authority = await this.authority()
    const subject = daemonSubject(certificateNames(shown), limits.certificateDays)
    await daemon.giveCertificate(await authority.sign(await daemon.requestCertificate(), subject))
    await daemon.reopen()
    log.info("The daemon's certificate was renewed.")
  }

  private async authority() {
    const { Authority } = await import('./authority.ts')
    return Authority.open(join(this.parts.data, 'authority'), this.parts.clock)
  }
}

const causeOf = ({ cause }: Error): string => (cause instanceof Error ? `: ${cause.message}` : '')
