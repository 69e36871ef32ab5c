import { logger } from '@origami/host/logger'
import { isFailed } from '@origami/protocol/control'
import type { Deployment, NotedInstance } from './deployment.ts'
import { documentsOf } from './deployment-documents.ts'
import type { StoredDeployment } from './tables.ts'

const log = logger('store')

/** Why a row is no valid deployment in its stored state. */
interface Broken {
  readonly broken: string
}

/**
 * Turns a row into a deployment. A row that lacks what its state needs, or has a state that is unknown to this version,
 * is logged and read as failed. It holds its own demo and hides no other one.
 */
export function toDeployment(row: StoredDeployment): Deployment {
  const read = parseByState(row)
  if (!('broken' in read)) return read
  tell(row, read.broken)
  const { common } = partsOf(row)
  const reason = `It was stored ${read.broken}, and cannot be taken up like that; deploy it again`
  return { ...common, state: 'runtime_error', reason, image: row.image, instance: null }
}

function parseByState(row: StoredDeployment): Deployment | Broken {
  const { state, image, reason, superseded_by, token, deadline_at } = row
  const { common, active, serving, instance } = partsOf(row)
  const { interruptions } = active
  switch (state) {
    case 'queued':
      return { ...common, state, reason, image, instance, token, deadline_at, interruptions }
    case 'cloning':
    case 'validating':
      return { ...active, state, image: null, instance: null }
    case 'building':
      return { ...active, state, image, instance: null }
    case 'starting':
      return image === null ? lacks(row, 'image') : { ...active, state, image, instance }
    case 'health_checking':
    case 'switching':
      if (image === null) return lacks(row, 'image')
      return instance === null ? lacks(row, 'instance') : { ...active, state, image, instance }
    case 'running':
      return image === null ? lacks(row, 'image') : { ...serving, state, reason, image, instance }
    case 'draining':
      return image === null ? lacks(row, 'image') : { ...common, state, reason: null, image, instance }
    case 'stopped':
      return { ...common, state, reason: null, image, instance: null }
    case 'retired':
      return { ...common, state, reason, image, instance: null }
    case 'superseded':
      if (superseded_by === null) return lacks(row, 'newer request')
      return { ...common, state, reason: reason ?? notKnown, image, instance: null, superseded_by }
    default:
      if (state === 'canceled' || isFailed(state))
        return { ...common, state, reason: reason ?? notKnown, image, instance: null }
      return { broken: `as ${row.state}, which this version does not know` }
  }
}

const lacks = ({ state }: StoredDeployment, what: string): Broken => ({
  broken: `as ${state.replace('_', ' ')} without its ${what}`,
})
const notKnown = 'Why is not known'

/** The columns of a row grouped by what they belong to. A group exists only when all of its columns are set. */
function partsOf(row: StoredDeployment) {
  const { id, demo_id, attempt, commit_sha, commit_message, log_cursor, served_well, created_at, updated_at } = row
  const { deadline_at, interruptions, let_go, tries, next_try_at } = row
  const { crash_times, ...documents } = documentsOf(row)
  const commit = commit_sha === null ? null : { sha: commit_sha, message: commit_message }
  const times = { served_well, created_at, updated_at }
  const common = { id, demo_id, attempt, commit, log_cursor, ...documents, ...times }
  const put_off = next_try_at === null ? null : { tries, until: next_try_at }
  return {
    common,
    active: { ...common, reason: null, deadline_at, interruptions, let_go: let_go !== 0 },
    serving: { ...common, crash_times, put_off },
    instance: instanceOf(row),
  }
}

function instanceOf({ instance, endpoint, ready_at }: StoredDeployment): NotedInstance | null {
  if (instance === null) return null
  return { id: instance, reached: endpoint === null ? null : { endpoint, ready_at } }
}

/** Rows are read again and again. A broken one is logged once. */
const reported = new Set<string>()
function tell({ id, attempt, state }: StoredDeployment, broken: string, atMost = 500): void {
  const key = `${id} ${attempt} ${state}`
  if (reported.has(key)) return
  if (reported.size >= atMost) reported.clear()
  reported.add(key)
  log.error(`deployment ${id} is stored ${broken}; its demo is held until it is deployed again`)
}
