import { Refusal } from '@origami/protocol/client'
import { Link } from '@tanstack/react-router'
import styles from './parts.module.css'

/** What stands where something could not be had: the server's words, and the way on. */
export function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const known = error instanceof Refusal ? error : undefined
  return (
    <div className={styles.empty} role="alert">
      <p>{error.message}</p>
      {known?.authorize && <a href={known.authorize}>Sign in there</a>}
      {known?.status === 401 ? (
        <Link to="/-/sign-in">Sign in</Link>
      ) : (
        <button type="button" className={styles.button} onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}
