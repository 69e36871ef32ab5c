import { useParams } from '@tanstack/react-router'
import { ApiError, useDemos } from '../api.ts'
import { DemoCards } from '../parts/demo-cards.tsx'
import { NotFound } from '../parts/not-found.tsx'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'

/** An account, with its demos. */
export function Owner() {
  const { account } = useParams({ strict: false })
  const path = `/-/api/accounts/${account}`
  const { error } = useDemos(path)
  useTitle(account)
  if (error instanceof ApiError && error.status === 404) return <NotFound />
  return (
    <div className={styles.stack}>
      <h1>{account}</h1>
      <DemoCards path={path} empty={<p>No public demo yet.</p>} />
    </div>
  )
}
