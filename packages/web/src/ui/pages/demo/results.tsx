import type { DemoPage } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { get } from '../../api.ts'
import styles from '../../parts/parts.module.css'

/** This visitor's own, from the server: each has its permalink. */
export function Results({ page }: { page: DemoPage }) {
  const { data, isPending, error } = useQuery({
    queryKey: ['results', page.address],
    queryFn: () => get<{ predictions: PredictionSnapshot[] }>(`/-/api/demos${page.address}/results`),
    gcTime: 0,
  })
  if (isPending) return <p className={styles.mute}>Loading…</p>
  if (error) return <p role="alert">{error.message}</p>
  if (data.predictions.length === 0) return <p className={styles.mute}>You have not run this demo yet.</p>
  return (
    <ul className={styles.list}>
      {data.predictions.map((one) => (
        <li key={one.id} className={styles.row}>
          <Link to="/$account/$name/predictions/$id" params={{ account: page.account, name: page.name, id: one.id }}>
            {summary(one)}
          </Link>
          <span className={styles.mute} title={new Date(one.created_at).toLocaleString()}>
            {one.status} · {new Date(one.created_at).toLocaleTimeString()}
          </span>
        </li>
      ))}
    </ul>
  )
}

function summary({ output, input }: PredictionSnapshot): string {
  const text = JSON.stringify(output ?? input) ?? ''
  return text.length > 80 ? `${text.slice(0, 78)}…` : text
}
