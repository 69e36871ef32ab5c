import { Strip } from '@origami/demo-ui'
import { useQuery } from '@tanstack/react-query'
import { Navigate, useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { call, useSession } from '../api.ts'
import { Failed } from '../parts/failed.tsx'
import { Loading } from '../parts/loading.tsx'
import styles from '../parts/parts.module.css'
import { useAct } from '../parts/use-act.ts'
import { useTitle } from '../parts/use-title.ts'

/** The page on which a person answers a program that shows a code and waits: `origami login`. */
export function DevicePage() {
  useTitle('A program asks to sign in')
  const { data: session, error, refetch } = useSession()
  const { code } = useSearch({ strict: false })
  if (!session) return error ? <Failed error={error} retry={() => void refetch()} /> : <Loading what="your account" />
  if (!session.account)
    return <Navigate to="/-/sign-in" search={{ return: `/-/device${code ? `?code=${code}` : ''}` }} replace />
  return (
    <div className={styles.stack}>
      <h1>A program asks to sign in</h1>
      {code ? (
        <AllowDevice key={code} code={code} handle={session.account.handle} may={session.account.may_deploy} />
      ) : (
        <EnterCode />
      )}
    </div>
  )
}

function EnterCode() {
  const [code, setCode] = useState('')
  const navigate = useNavigate()
  const look = (event: FormEvent) => {
    event.preventDefault()
    void navigate({ to: '/-/device', search: { code } })
  }
  return (
    <form className={styles.sheet} onSubmit={look}>
      <label htmlFor="code">The code that your terminal shows</label>
      <div className={styles.row}>
        <input
          id="code"
          className={`${styles.field} ${styles.grow}`}
          placeholder="ABCD-EFGH"
          autoComplete="off"
          required
          value={code}
          onChange={({ target }) => setCode(target.value)}
        />
        <button type="submit" className={styles.button}>
          Go on
        </button>
      </div>
    </form>
  )
}

function AllowDevice({ code, handle, may }: { code: string; handle: string; may: boolean }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['device', code],
    queryFn: () => call('GET /-/api/device', { query: { code } }),
    retry: false,
  })
  const [answered, setAnswered] = useState<'allowed' | 'denied'>()
  const { busy, problem, act } = useAct(() => {})
  const answer = (allow: boolean) =>
    act(async () => {
      await call('POST /-/api/device/answer', { body: { code, allow } })
      setAnswered(allow ? 'allowed' : 'denied')
    })
  if (answered)
    return (
      <Strip kind="note">
        {answered === 'allowed'
          ? 'It is signed in. You can close this page and go back to the terminal.'
          : 'It was denied.'}
      </Strip>
    )
  if (error) return <Failed error={error} retry={() => void refetch()} />
  if (!data) return <Loading what="who asks" />
  return (
    <section className={styles.sheet} aria-label="Who asks">
      <p className={styles.userCode}>{code.toUpperCase()}</p>
      <p>
        <strong>{data.host}</strong> asks to act as <strong>{handle}</strong>: it may then run and deploy demos as you.
        Allow it only when you began this yourself, and your terminal shows this very code.
      </p>
      <p className={styles.facts}>
        <span>from {data.address}</span>
        <span className={styles.code}>{data.agent}</span>
      </p>
      {!may && (
        <Strip kind="wrong">
          Your account may not deploy here, so no program can sign in as it. Ask the owner of this server.
        </Strip>
      )}
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <div className={styles.row}>
        {may && (
          <button
            type="button"
            className={styles.button}
            data-primary="true"
            disabled={busy}
            onClick={() => answer(true)}
          >
            Allow
          </button>
        )}
        <button type="button" className={styles.button} disabled={busy} onClick={() => answer(false)}>
          Deny
        </button>
      </div>
    </section>
  )
}
