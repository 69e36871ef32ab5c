import { Readable } from 'node:stream'
import Docker from 'dockerode'
import type { Limits } from '../../config.ts'

interface Dial {
  readonly path: string
  readonly method: string
  abortSignal?: AbortSignal
}
type DialOptions = Parameters<Docker['modem']['dial']>[0]
type Answered = (error: unknown, data: unknown) => void

/**
 * Docker's API with time limits. Every call goes through `within`, and has a deadline (until Docker begins to answer)
 * and its caller's signal (until the answer ends). Rejects with the signal's reason, or with an Error that names the
 * call.
 */
export class DockerClient {
  private readonly options: Docker.DockerOptions | undefined
  private readonly limits: Pick<Limits, 'engineMs'>

  /** `socket`: undefined means DOCKER_HOST, or the usual path. */
  constructor(socket: string | undefined, limits: Pick<Limits, 'engineMs'>) {
    this.options = socket === undefined ? undefined : { socketPath: socket }
    this.limits = limits
  }

  /** Whether Docker runs on this host. */
  get isLocal(): boolean {
    const { host } = new Docker(this.options).modem as { host?: unknown }
    return host === undefined
  }

  /** A client whose calls end with this signal, and must begin to answer within `ms`. */
  within(signal?: AbortSignal, ms = this.limits.engineMs): Docker {
    const docker = new Docker(this.options)
    const dial = docker.modem.dial.bind(docker.modem) as (options: Dial, answered: Answered) => void
    docker.modem.dial = (options: Dial, answered: Answered) => {
      const late = new AbortController()
      const message = `Docker did not answer ${options.method} ${options.path.split('?')[0]} within ${ms / 1000} s`
      const timer = isBuild(options) ? undefined : setTimeout(() => late.abort(new Error(message)), ms)
      const ending = signal ? AbortSignal.any([signal, late.signal]) : late.signal
      options.abortSignal = ending
      dial(options, (error, data) => {
        clearTimeout(timer)
        if (isStream(data)) ending.addEventListener('abort', () => data.destroy(), { once: true })
        answered(error && ending.aborted ? ending.reason : error, data)
      })
    }
    return docker
  }

  /**
   * Removes from the build cache what was not used lately, until it has at most `bytes`. The cache is the whole host's,
   * since Docker stores no owner for it.
   */
  async pruneBuilds(bytes: number, signal: AbortSignal): Promise<void> {
    const docker = this.within(signal, 10 * this.limits.engineMs)
    // Docker calls this `reserved-space` since API 1.48, and still accepts the old name.
    const options = { _query: { all: true, 'keep-storage': bytes, 'reserved-space': bytes }, _body: {} }
    await dialed(docker, { path: '/build/prune?', method: 'POST', options })
  }

  /**
   * Docker's events from a time on, as a stream of JSON objects. `since` is seconds with nanoseconds, as text because
   * no number holds them. `filters` are those of Docker's API.
   */
  async events(
    filters: Readonly<Record<string, readonly string[]>>,
    since: string,
    signal: AbortSignal,
  ): Promise<Readable> {
    const options = { _query: { filters, since } }
    return readable(await dialed(this.within(signal), { path: '/events?', method: 'GET', options, isStream: true }))
  }
}

/** One call of Docker's API for which dockerode has no method or no correct types. */
const dialed = (docker: Docker, call: Omit<DialOptions, 'statusCodes'>): Promise<unknown> =>
  new Promise((resolve, reject) =>
    docker.modem.dial({ ...call, statusCodes: { 200: true, 500: 'server error' } }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    ),
  )

/** An answer that Docker streams. Throws Error when the answer is no stream. */
export function readable(answer: unknown): Readable {
  if (answer instanceof Readable) return answer
  throw new Error('expected Docker to answer with a stream')
}

/**
 * Docker begins to answer a build only after it has received the whole folder, which may take as long as a build. The
 * caller's signal limits it instead.
 */
const isBuild = ({ path }: Dial): boolean => path.startsWith('/build?')

const isStream = (data: unknown): data is { destroy(): void } =>
  typeof (data as { destroy?: unknown } | null)?.destroy === 'function'

/** The HTTP status of Docker's refusal. Undefined for other errors. */
export const httpStatusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode
