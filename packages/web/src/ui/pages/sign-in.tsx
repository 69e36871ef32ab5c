import { Strip } from '@origami/demo-ui'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { call, useForgetSession, useSession } from '../api.ts'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'

const failures: Record<string, string> = {
  refused:
    'The sign-in did not end well: it was refused there, begun in another browser, or too long ago. Begin again.',
  unreachable: 'The place you signed in at could not be asked just now. Try again in a moment.',
}

/** Signs in at a forge, or by the one-time link whose secret is in the fragment. */
export function SignInPage() {
  useTitle('Sign in')
  const { data: session } = useSession()
  const { failed, return: back = '/' } = useSearch({ strict: false })
  const [problem, setProblem] = useState(failed && failures[failed])
  const forget = useForgetSession()
  const navigate = useNavigate()
  const secret = useRef(location.hash.slice(1))
  useEffect(() => {
    const linkSecret = secret.current
    secret.current = ''
    if (linkSecret === '') return
    history.replaceState(null, '', location.pathname)
    call('POST /-/api/session/link', { body: { secret: linkSecret } })
      .then(async () => {
        await forget()
        await navigate({ to: '/' })
      })
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : 'It did not work.'))
  }, [forget, navigate])
  const forges = session?.forges.filter((forge) => forge.sign_in) ?? []
  return (
    <div className={styles.stack}>
      <h1>Sign in</h1>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      {forges.map(({ host }) => (
        <p key={host}>
          <a className={styles.button} href={`/-/sign-in/${host}?return=${encodeURIComponent(back)}`}>
            Sign in with {host}
          </a>
        </p>
      ))}
      {session && forges.length === 0 && (
        <p className={styles.mute}>
          Nobody can sign in by a forge here. The owner signs in by the one-time link that the server prints when it
          starts.
        </p>
      )}
    </div>
  )
}
