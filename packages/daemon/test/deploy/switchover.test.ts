import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoId, type DeploymentId, demoSchema } from '@origami/protocol/demo'
import { expect, test } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { switchTo } from '../../src/deploy/switchover.ts'
import type { ImageRef, InstanceId } from '../../src/engine/engine.ts'
import { demoById, wantDemo } from '../../src/store/demos.ts'
import { deploymentById, move } from '../../src/store/deployments.ts'
import { openStore } from '../../src/store/open.ts'
import { addDeployment } from '../../src/store/waiting-deployments.ts'

const at = '2026-11-25T00:00:00.000Z'
const demo = 'd'.repeat(32) as DemoId
const said = { name: 'said', label: 'Said', component: 'text', options: {}, required: true }
const about = { api: 1, title: 'x', description: '', examples: [], streaming: false, concurrency: 1 }
const schema = demoSchema.parse({ ...about, inputs: [], outputs: [said] })

const [image, instance] = ['image' as ImageRef, 'instance' as InstanceId]

test('a cancel until the switch is done leaves the version before serving; one after it comes too late', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-switching-'))
  const db = await openStore(folder)
  const rowOf = async (id: DeploymentId) =>
    (await deploymentById(db, id)) as NonNullable<Awaited<ReturnType<typeof deploymentById>>>
  const added = () => db.transaction().execute((trx) => addDeployment(trx, demo, at, () => null))
  const parts = { db, now: () => at, changed: new Changes() }
  try {
    await wantDemo(db, { id: demo, user_id: 'ann', repolink: 'https://folder.test/ann/x' }, at)
    const before = await added()
    await move(db, await rowOf(before), 'running', at, { image })
    await db.updateTable('demos').set({ serving: before }).execute()
    const next = await added()
    await move(db, await rowOf(next), 'switching', at, { image, instance })

    const cancel = new AbortController()
    const switching = async () => switchTo(parts, { row: await rowOf(next) }, { id: instance }, schema, cancel.signal)
    cancel.abort('canceled')
    await expect(switching()).rejects.toBe('canceled')
    const states = async () => [
      (await rowOf(before)).state,
      (await rowOf(next)).state,
      (await demoById(db, demo))?.serving,
    ]
    expect(await states()).toEqual(['running', 'switching', before])

    const late = new AbortController()
    await switchTo(parts, { row: await rowOf(next) }, { id: instance }, schema, late.signal)
    late.abort('canceled')
    expect(await states()).toEqual(['draining', 'running', next])
  } finally {
    await db.destroy()
    await rm(folder, { recursive: true })
  }
})
