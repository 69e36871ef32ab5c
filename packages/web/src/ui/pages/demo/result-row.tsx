import { demoClient } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { Link, useNavigate } from '@tanstack/react-router'
import { call } from '../../api.ts'
import { Ago } from '../../parts/ago.tsx'
import { ConfirmButton } from '../../parts/confirm.tsx'
import styles from '../../parts/parts.module.css'
import { durationText } from '../../parts/quantities.ts'
import type { Acting } from '../../parts/use-act.ts'

/** One result with its permalink, output, time and duration, and the buttons to run it again and to delete it. */
export function ResultRow({ page, result, act }: { page: DemoPage; result: PredictionSnapshot; act: Acting['act'] }) {
  const { account, name, address } = page
  const { id, input, output, error, status, commit, metrics } = result
  const navigate = useNavigate()
  const rerun = async () => {
    const { id } = await demoClient(address).submit(input)
    await navigate({ to: '/$account/$name/predictions/$id', params: { account, name, id } })
  }
  const remove = () =>
    call('DELETE /-/api/demos/:account/:name/results/:prediction_id', { params: { account, name, prediction_id: id } })
  return (
    <li className={styles.sheet}>
      <Link to="/$account/$name/predictions/$id" params={{ account, name, id }}>
        {Object.values(input).filter(isPresent).map(oneLine).join(' · ') || 'without input'}
      </Link>
      <span className={styles.code}>{error ?? oneLine(output)}</span>
      <div className={styles.row}>
        <span className={`${styles.mute} ${styles.grow}`}>
          {status} · <Ago at={result.created_at} />
          {metrics.predict_time !== undefined && ` · ${durationText(metrics.predict_time * 1000)}`}
          {commit && ` · ${commit.slice(0, 7)}`}
        </span>
        <button type="button" className={styles.button} onClick={() => act(rerun)}>
          Run again
        </button>
        {result.completed_at && (
          <ConfirmButton
            label="Delete"
            question="Delete this result?"
            detail="Its permalink stops working, and its files go. This cannot be undone."
            onConfirm={() => act(remove)}
          />
        )}
      </div>
    </li>
  )
}

/** A value in one line, cut when it is long. A file is shown by its name. */
function oneLine(value: unknown): string {
  const named = withoutAddress('', value)
  const text = typeof named === 'string' ? named : (JSON.stringify(named, withoutAddress) ?? '')
  return text.length > 120 ? `${text.slice(0, 118)}…` : text
}

const isPresent = (value: unknown): boolean => value !== null && value !== ''

/** Replaces a file's address by its name, as a replacer of JSON.stringify. */
const withoutAddress = (_key: string, value: unknown): unknown =>
  typeof value === 'string' && /\/files\/[\w-]+\//.test(value)
    ? decodeURIComponent(value.split('/').at(-1) ?? '')
    : value
