import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { serve } from './serve-model.ts'

const mebi = 1024 ** 2
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** The heap with what buffers hold outside of it, once all that can be is collected. */
async function held(): Promise<number> {
  // What buffers held is given back a turn after they were collected.
  for (let round = 0; round < 3; round += 1) {
    collect()
    await setImmediate()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('of 4000 predictions of 100 kB, 400 MB in all, the runtime holds what it keeps and no more', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-memory-'))
  await writeFile(join(folder, 'model.py'), 'def predict(name: str) -> str:\n    return name.ljust(100_000)\n')
  {
    await using runtime = await serve(join(folder, 'model.py'), { keep: { maxEndedBytes: 2 * mebi } })
    const ask = async (name: string) => {
      const answer = await fetch(`${runtime.url}/predictions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input: { name } }),
      })
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100_000)
    }
    const clients = (each: number) =>
      Promise.all(
        Array.from({ length: 16 }, async (_, client) => {
          for (let number = 0; number < each; number += 1) await ask(`${client}-${number}`)
        }),
      )
    await clients(20)
    const before = await held()
    await clients(250)
    // A tenth of what passed: the connections of the caller, in this process too, keep buffers.
    expect((await held()) - before).toBeLessThan(40 * mebi)
  }
  await rm(folder, { recursive: true })
})
