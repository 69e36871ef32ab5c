import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A place that a watcher was told, and when: milliseconds since 1970. */
export interface Told {
  readonly watcher: number
  readonly place: number
  readonly at: number
}

/** A process of its own that reads event streams until it is disposed of. */
export interface Watchers extends AsyncDisposable {
  /** All that was told so far, when that was asked for. */
  readonly told: readonly Told[]
}

/** Resolves once all streams are answered. `tells`: places are noted. */
export async function watch(urls: readonly string[], tells = false): Promise<Watchers> {
  const told: Told[] = []
  if (urls.length === 0) return { told, [Symbol.asyncDispose]: async () => {} }
  const program = [join(import.meta.dirname, 'watch.ts'), ...(tells ? ['tell'] : [])]
  const child = spawn(process.execPath, program, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(urls.join('\n'))
  const watching = Promise.withResolvers<void>()
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'watching') watching.resolve()
    else told.push(JSON.parse(line) as Told)
  })
  const exited = once(child, 'exit')
  exited.then(([code]) => watching.reject(new Error(`those who watch ended with ${code}`)))
  await watching.promise
  return {
    told,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill()
      await exited
    },
  }
}
