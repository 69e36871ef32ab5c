import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isFresh, products, stampOf, writeStamp } from '../scripts/products.mjs'
import { freePort } from './free-port.ts'

const root = join(import.meta.dirname, '..')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-built-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs what `npm run origami` runs, until a line of its output has this word. Returns all lines until then. */
async function runUntil(word: string, args: string[], use: (lines: string[]) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, ['scripts/origami.mjs', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines: string[] = []
  try {
    for await (const line of createInterface({ input: child.stdout as Readable })) {
      lines.push(line)
      if (line.includes(word)) break
    }
    await use(lines)
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

describe('the command as it is built', () => {
  test('up serves the pages, and its daemon runs with what it finds beside itself', async () => {
    const [port, daemonPort] = [await freePort(), await freePort()]
    const flags = ['--data', folder, '--port', String(port), '--daemon-port', String(daemonPort)]
    await runUntil('Sign in', ['up', ...flags, '--engine', 'process'], async (lines) => {
      expect(lines[0]).toBe(`Origami is at http://127.0.0.1:${port}`)
      const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } })
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<title>Origami</title>')])
    })
  })

  test('serve runs a model with the runtime that it finds beside itself', async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    await runUntil(
      'is at',
      ['serve', join(root, 'packages/lib/test/models/echo.ts'), '--port', `${port}`],
      async () => {
        await vi.waitFor(async () => {
          const health = (await (await fetch(`${url}/health-check`)).json()) as { status: string }
          expect(health.status).toBe('READY')
        })
        const page = await fetch(url, { headers: { accept: 'text/html' } })
        expect(await page.text()).toContain('<!doctype html>')
      },
    )
  })
})

test('a product whose sources were only touched is not built again', async () => {
  const [page] = products
  if (!page) throw new Error('expected a product')
  const touched = { ...page, name: 'touched' as never, from: [relative(root, folder)] }
  await writeFile(join(folder, 'a.ts'), 'one')
  writeStamp(touched.name, stampOf(touched.from))
  try {
    await utimes(join(folder, 'a.ts'), 1, 1)
    expect(isFresh(touched)).toBe(true)
    await writeFile(join(folder, 'a.ts'), 'two')
    expect(isFresh(touched)).toBe(false)
  } finally {
    await rm(join(root, '.built/touched.json'))
  }
})
