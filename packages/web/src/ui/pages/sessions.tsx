import { Strip } from '@origami/demo-ui'
import { useQuery } from '@tanstack/react-query'
import { call, useForgetSession } from '../api.ts'
import { Ago } from '../parts/ago.tsx'
import { ConfirmButton } from '../parts/confirm.tsx'
import { Failed } from '../parts/failed.tsx'
import { Loading } from '../parts/loading.tsx'
import styles from '../parts/parts.module.css'
import { useAct } from '../parts/use-act.ts'

/** Where the account is signed in, each with a button that ends it. */
export function Sessions() {
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ['sessions'],
    queryFn: () => call('GET /-/api/sessions', {}),
  })
  const forget = useForgetSession()
  const { problem, act } = useAct(() => void refetch())
  const endAll = async () => {
    await call('DELETE /-/api/sessions', {})
    await forget()
  }
  return (
    <section className={styles.sheet} aria-label="Sessions">
      <div className={styles.row}>
        <h2 className={styles.grow}>Where you are signed in</h2>
        <ConfirmButton
          label="Sign out everywhere"
          question="Sign out everywhere?"
          detail="Every browser has to sign in again, this one too. Tokens stay."
          onConfirm={() => act(endAll)}
        />
      </div>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      {isPending && <Loading what="where you are signed in" />}
      {error && <Failed error={error} retry={() => void refetch()} />}
      <ul className={styles.list}>
        {data?.sessions.map(({ id, agent, address, created_at, current }) => (
          <li key={id} className={styles.row}>
            <span className={styles.grow}>
              {browserOf(agent)}
              {current && ', this one'}
            </span>
            <span className={styles.mute}>
              {address && `from ${address}, `}
              <Ago at={created_at} />
            </span>
            {!current && (
              <button
                type="button"
                className={styles.button}
                onClick={() => act(() => call('DELETE /-/api/sessions/:id', { params: { id } }))}
              >
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Names in which others occur come first: Edge says that it is Chrome, and Chrome that it is Safari. */
const browsers = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'] as const
const browserNames = { Edg: 'Edge', OPR: 'Opera', Firefox: 'Firefox', Chrome: 'Chrome', Safari: 'Safari' } as const

function browserOf(agent: string | null): string {
  const known = browsers.find((name) => agent?.includes(`${name}/`))
  return known ? browserNames[known] : (agent?.slice(0, 40) ?? 'A browser')
}
