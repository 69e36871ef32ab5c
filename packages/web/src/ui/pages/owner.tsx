import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { call, isMissing } from '../api.ts'
import { DemoCards } from '../parts/demo-cards.tsx'
import { NotFound } from '../parts/not-found.tsx'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'

/** An account, with its demos. */
export function OwnerPage() {
  const { account = '' } = useParams({ strict: false })
  const query = useQuery({
    queryKey: ['demos', 'of', account],
    queryFn: () => call('GET /-/api/accounts/:account', { params: { account } }),
  })
  useTitle(account)
  if (isMissing(query.error)) return <NotFound />
  return (
    <div className={styles.stack}>
      <h1>{account}</h1>
      <DemoCards query={query} empty={<p>No public demo yet.</p>} />
    </div>
  )
}
