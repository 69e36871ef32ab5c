import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startTime } from '@origami/host/process-identity'
import { expect, test } from 'vitest'

const program = join(import.meta.dirname, 'no-open-files.mjs')

test('an engine whose process may open no other file says so, and not that there is nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-open-files-'))
  const about = { demo: 'd'.repeat(32), deployment: 'one', image: 'image' }
  const shim = { nonce: 'nonce', pid: process.pid, started: startTime(process.pid) }
  for (const path of ['images/image', 'instances/one']) await mkdir(join(folder, path), { recursive: true })
  await writeFile(join(folder, 'images/image/.image.json'), JSON.stringify(about))
  await writeFile(join(folder, 'instances/one/about.json'), JSON.stringify({ ...about, ...shim }))
  const args = ['-c', 'ulimit -n 64 && exec "$@"', 'sh', process.execPath, program, folder, 'one']
  const { stdout } = await promisify(execFile)('sh', args)
  const running = { id: 'one', state: 'running' }
  expect(JSON.parse(stdout)).toMatchObject({
    before: [{ value: [running] }, { value: running }, { value: [{ deployment: 'one' }] }],
    after: ['rejected', 'rejected', 'rejected'],
  })
  await rm(folder, { recursive: true })
})
