import { type DemoId, demoSchema, manifestSchema } from '@origami/protocol/demo'
import { Changes } from '../../../src/changes.ts'
import { defaultLimits } from '../../../src/config.ts'
import { KnownDemos } from '../../../src/predictions/known-demos.ts'
import { LiveRuns } from '../../../src/predictions/live-runs.ts'
import { OpenPredictions } from '../../../src/predictions/open-predictions.ts'
import type { DispatcherParts, SentPrediction } from '../../../src/predictions/parts.ts'
import { RunTimes } from '../../../src/predictions/run-times.ts'
import { Turns } from '../../../src/predictions/turns/turns.ts'
import { Commits } from '../../../src/store/commits.ts'
import { setServing, wantDemo } from '../../../src/store/demos.ts'
import type { Db } from '../../../src/store/open.ts'
import { toOpen } from '../../../src/store/open-predictions.ts'
import { predictionByArrival } from '../../../src/store/predictions.ts'
import { addDeployment } from '../../../src/store/waiting-deployments.ts'
import { at, movedTo } from '../../store/in-memory.ts'
import { addPredictions, StoredQueue } from '../stored-queue.ts'

const said = { name: 'said', label: 'Said', component: 'text', options: {}, required: true }
const about = { api: 1, title: 'x', description: '', examples: [], streaming: false, concurrency: 1 }
export const schema = demoSchema.parse({ ...about, inputs: [], outputs: [said] })
export const manifest = manifestSchema.parse({})

/** What sending predictions needs over a store in memory; `reach` is the client for an instance's endpoint. */
export function dispatcherParts(db: Db, reach: (endpoint: string) => object): DispatcherParts {
  const now = () => new Date().toISOString()
  const limits = { ...defaultLimits, retryMs: [1], cancelMs: 1 }
  const changed = new Changes()
  const open = new OpenPredictions(db, changed)
  const memory = {
    demos: new KnownDemos(db, changed),
    open,
    turns: new Turns(open, limits),
    live: new LiveRuns(limits),
    times: new RunTimes(db),
  }
  return { db, commits: new Commits(db), limits, now, changed, ...memory, reach } as unknown as DispatcherParts
}

/** A demo that serves at this endpoint, and a prediction that waits for it. */
export async function waitingAt(db: Db, name: string, endpoint: string) {
  const demo = name.repeat(32) as DemoId
  await wantDemo(db, { id: demo, user_id: 'ann', repolink: `https://folder.test/ann/${name}` }, at)
  const id = await addDeployment(db, demo, at, () => null)
  const stored = { image: 'image' as never, instance: name as never, endpoint, schema, manifest }
  await setServing(db, await movedTo(db, id, 'running', stored))
  const [added] = await addPredictions(db, [StoredQueue.prediction(demo, 'ann', { created_at: at })])
  const row = added && (await predictionByArrival(db, added.arrival))
  if (!row) throw new Error('the prediction was not stored')
  return { deployment: id, row }
}

/** A prediction as it is sent, by its row. */
export async function sentPrediction(db: Db, arrival: number): Promise<SentPrediction> {
  const row = await predictionByArrival(db, arrival)
  if (!row) throw new Error('the prediction is not stored')
  return { ...toOpen(row), input: JSON.parse(row.input), length: row.input.length }
}
