import Docker from 'dockerode'
import type { Limits } from '../../config.ts'

interface Dial {
  readonly path: string
  readonly method: string
  abortSignal?: AbortSignal
}
type Answered = (error: unknown, data: unknown) => void

/**
 * Docker's API, where nothing waits for ever: every call goes through `within`, and has its deadline (until Docker
 * begins to answer) and its caller's signal (until the answer ends). Rejects with the signal's reason, or an Error that
 * names the call.
 */
export class DockerClient {
  private readonly options: Docker.DockerOptions | undefined
  private readonly limits: Pick<Limits, 'engineMs'>

  /** `socket`: DOCKER_HOST, or the usual place, when undefined. */
  constructor(socket: string | undefined, limits: Pick<Limits, 'engineMs'>) {
    this.options = socket === undefined ? undefined : { socketPath: socket }
    this.limits = limits
  }

  /** Docker for calls that end with this signal, and begin to answer within `ms`. */
  within(signal?: AbortSignal, ms = this.limits.engineMs): Docker {
    const docker = new Docker(this.options)
    const dial = docker.modem.dial.bind(docker.modem) as (options: Dial, answered: Answered) => void
    docker.modem.dial = (options: Dial, answered: Answered) => {
      const late = new AbortController()
      const words = `Docker did not answer ${options.method} ${options.path.split('?')[0]} within ${ms / 1000} s`
      const timer = isBuild(options) ? undefined : setTimeout(() => late.abort(new Error(words)), ms)
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
   * Forgets what was not used lately of the cache of builds until it is at most `bytes`. The cache is the whole host's:
   * Docker knows no owner of it.
   */
  async pruneBuilds(bytes: number, signal: AbortSignal): Promise<void> {
    const { modem } = this.within(signal, 10 * this.limits.engineMs)
    // Docker calls it `reserved-space` since API 1.48, and takes the old name too.
    const options = { _query: { all: true, 'keep-storage': bytes, 'reserved-space': bytes }, _body: {} }
    const statusCodes = { 200: true, 500: 'server error' }
    await new Promise<void>((resolve, reject) =>
      modem.dial({ path: '/build/prune?', method: 'POST', options, statusCodes } as never, (error: unknown) =>
        error ? reject(error) : resolve(),
      ),
    )
  }
}

/**
 * Docker begins to answer a build when it has the whole folder, which may take as long as the build: its caller's
 * signal is its deadline.
 */
const isBuild = ({ path }: Dial): boolean => path.startsWith('/build?')

const isStream = (data: unknown): data is { destroy(): void } =>
  typeof (data as { destroy?: unknown } | null)?.destroy === 'function'

/** The HTTP status that Docker refused with. */
export const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode
