import { client, Strip } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { change, get } from '../../api.ts'
import { ConfirmButton } from '../../parts/confirm.tsx'
import { Failed } from '../../parts/failed.tsx'
import { Loading } from '../../parts/loading.tsx'
import styles from '../../parts/parts.module.css'
import { useAct } from '../../parts/use-act.ts'
import { Ago, duration } from '../../parts/words.tsx'

/** This visitor's own, from the server: each has its permalink, can be run again, and deleted once it ended. */
export function Results({ page }: { page: DemoPage }) {
  const navigate = useNavigate()
  const path = `/-/api/demos${page.address}/results`
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ['results', page.address],
    queryFn: () => get<{ predictions: PredictionSnapshot[] }>(path),
    gcTime: 0,
    refetchInterval: ({ state }) => (state.data?.predictions.some(({ completed_at }) => completed_at === null) ? 1000 : false),
  })
  const { problem, act } = useAct(() => void refetch())
  const again = (one: PredictionSnapshot) =>
    act(async () => {
      const { id } = await client(page.address).submit(one.input)
      await navigate({ to: '/$account/$name/predictions/$id', params: { account: page.account, name: page.name, id } })
    })
  if (isPending) return <Loading what="your results" />
  if (error) return <Failed error={error} retry={() => void refetch()} />
  if (data.predictions.length === 0) return <p className={styles.mute}>You have not run this demo yet.</p>
  return (
    <div className={styles.stack}>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <ul className={styles.list}>
        {data.predictions.map((one) => (
          <li key={one.id} className={styles.sheet}>
            <Link to="/$account/$name/predictions/$id" params={{ account: page.account, name: page.name, id: one.id }}>
              {Object.values(one.input).filter(isGiven).map(short).join(' · ') || 'without input'}
            </Link>
            <span className={styles.code}>{one.error ?? short(one.output)}</span>
            <div className={styles.row}>
              <span className={`${styles.mute} ${styles.grow}`}>
                {one.status} · <Ago at={one.created_at} />
                {one.metrics.predict_time !== undefined && ` · ${duration(one.metrics.predict_time * 1000)}`}
                {one.commit && ` · ${one.commit.slice(0, 7)}`}
              </span>
              <button type="button" className={styles.button} onClick={() => again(one)}>
                Run again
              </button>
              {one.completed_at && (
                <ConfirmButton
                  label="Delete"
                  question="Delete this result?"
                  detail="Its permalink stops working, and its files go. This cannot be undone."
                  onConfirm={() => act(() => change('DELETE', `${path}/${one.id}`))}
                />
              )}
            </div>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Values as one line: a file by its name. */
function short(value: unknown): string {
  const named = fileName('', value)
  const plain = typeof named === 'string' ? named : (JSON.stringify(named, fileName) ?? '')
  return plain.length > 120 ? `${plain.slice(0, 118)}…` : plain
}

const isGiven = (value: unknown): boolean => value !== null && value !== ''

const fileName = (_key: string, value: unknown): unknown =>
  typeof value === 'string' && /\/files\/[\w-]+\//.test(value) ? decodeURIComponent(value.split('/').at(-1) ?? '') : value
