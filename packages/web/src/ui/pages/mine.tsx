import { Link } from '@tanstack/react-router'
import { DemoCards } from '../parts/demo-cards.tsx'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'

/** One's own demos, public or not. */
export function Mine() {
  useTitle('My demos')
  return (
    <div className={styles.stack}>
      <h1>My demos</h1>
      <DemoCards
        path="/-/api/mine"
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
