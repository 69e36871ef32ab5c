import { Refusal } from '@origami/protocol/client'
import { Link } from '@tanstack/react-router'
import styles from './parts.module.css'

/** Shown in place of what could not be loaded: the server's message, and a button to try again. */
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
