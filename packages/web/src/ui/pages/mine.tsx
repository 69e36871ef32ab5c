import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { call } from '../api.ts'
import { DemoCards } from '../parts/demo-cards.tsx'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'

/** The demos of the signed-in account, public or not. */
export function MinePage() {
  useTitle('My demos')
  const query = useQuery({ queryKey: ['demos', 'mine'], queryFn: () => call('GET /-/api/mine', {}) })
  return (
    <div className={styles.stack}>
      <h1>My demos</h1>
      <DemoCards
        query={query}
        empty={
          <>
            <p>You have no demo yet.</p>
            <Link to="/-/new">Make one from a repository</Link>
          </>
        }
      />
    </div>
  )
}
