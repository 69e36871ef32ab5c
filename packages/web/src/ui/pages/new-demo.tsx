import { Strip } from '@origami/demo-ui'
import { Refusal } from '@origami/protocol/client'
import type { Inspection, Repository } from '@origami/protocol/control'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import { call, errorOf, useSession } from '../api.ts'
import { Failed } from '../parts/failed.tsx'
import { Loading } from '../parts/loading.tsx'
import styles from '../parts/parts.module.css'
import { Prose } from '../parts/prose.tsx'
import { useDebounced } from '../parts/use-debounced.ts'
import { useTitle } from '../parts/use-title.ts'
import { RunsElsewherePage } from './runs-elsewhere.tsx'

/** Makes a demo from a repository: one of the account's own, or a link. */
export function NewDemoPage() {
  useTitle('New demo')
  const { data: session } = useSession()
  const { link: asked } = useSearch({ strict: false })
  const [link, setLink] = useState(asked ?? '')
  const [found, setFound] = useState<Inspection>()
  const [problem, setProblem] = useState<Error>()
  const inspect = useCallback(async (wanted: string) => {
    setProblem(undefined)
    setFound(undefined)
    try {
      const there = await call('POST /-/api/inspect', { body: { link: wanted } })
      if ('link' in there) setFound(there)
    } catch (error) {
      setProblem(errorOf(error))
    }
  }, [])
  useEffect(() => {
    if (asked) void inspect(asked)
  }, [asked, inspect])
  if (session && !session.account?.may_deploy)
    return <p>Only the owner of this server, and accounts the owner lists, deploy here.</p>
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void inspect(link)
  }
  return (
    <div className={styles.stack}>
      <h1>New demo</h1>
      <form className={styles.sheet} aria-label="A link" onSubmit={submit}>
        <h2>A link to a repository</h2>
        <div className={styles.row}>
          <input
            className={`${styles.field} ${styles.grow}`}
            aria-label="Link to a repository"
            placeholder={`https://${session?.forges[0]?.host ?? 'github.com'}/owner/name`}
            required
            value={link}
            onChange={({ target }) => setLink(target.value)}
          />
          <button type="submit" className={styles.button}>
            Look
          </button>
        </div>
      </form>
      {problem && (
        <Strip kind="wrong">
          {problem.message}{' '}
          {problem instanceof Refusal && problem.authorize && <a href={problem.authorize}>Allow it</a>}
        </Strip>
      )}
      {found && <Found key={found.link} found={found} />}
      {session?.forges
        .filter((forge) => forge.sign_in && forge.repositories)
        .map(({ host }) => (
          <Repositories key={host} host={host} onPick={(one) => void inspect(one.link)} />
        ))}
      <RunsElsewherePage />
    </div>
  )
}

function Found({ found }: { found: Inspection }) {
  const navigate = useNavigate()
  const [chosen, setChosen] = useState<boolean>()
  const [problem, setProblem] = useState<string>()
  const [sending, setSending] = useState(false)
  const deploy = async () => {
    setSending(true)
    // For an existing demo its own page decides who may see it. For a private repository it must be chosen here.
    const isPublic = chosen ?? (found.private && !found.demo ? false : undefined)
    try {
      const asked = { link: found.link, ...(isPublic === undefined ? {} : { public: isPublic }) }
      const page = await call('POST /-/api/demos', { body: asked })
      await navigate({ to: '/$account/$name', params: { account: page.account, name: page.name }, hash: 'deployments' })
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'It did not work.')
      setSending(false)
    }
  }
  const mark = (there: boolean | null, yes: string, no: string) =>
    there !== null && (
      <li>
        <Prose text={there ? `✓ ${yes}` : `– ${no}`} />
      </li>
    )
  return (
    <section className={styles.sheet} aria-label="What was found">
      <h2>{found.link.replace('https://', '')}</h2>
      <ul className={styles.list}>
        {found.commit && (
          <li>
            <span className={styles.code}>{found.commit.sha.slice(0, 7)}</span> {found.commit.message}
          </li>
        )}
        {mark(found.linked, '.origami is there', 'not linked yet: `origami bundle` writes .origami')}
        {mark(found.dockerfile, 'Dockerfile is there', 'no Dockerfile: `origami bundle` writes it')}
      </ul>
      {found.demo ? (
        <p>
          You have a demo of it: <Link to={found.demo.address}>{found.demo.address.slice(1)}</Link>. Deploying brings
          its newest commit.
        </p>
      ) : (
        <label className={styles.row}>
          <input
            type="checkbox"
            checked={chosen ?? !found.private}
            onChange={({ target }) => setChosen(target.checked)}
          />
          {found.private ? 'The repository is private. May its demo be public?' : 'Anyone may see the demo'}
        </label>
      )}
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <button
        type="button"
        className={styles.button}
        data-primary="true"
        disabled={sending}
        onClick={() => void deploy()}
      >
        {sending ? 'Sending…' : 'Deploy'}
      </button>
    </section>
  )
}

function Repositories({ host, onPick }: { host: string; onPick: (repository: Repository) => void }) {
  const [search, setSearch] = useState('')
  const q = useDebounced(search)
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ['repositories', host, q],
    queryFn: () => call('GET /-/api/repositories', { query: { forge: host, q } }),
    placeholderData: keepPreviousData,
  })
  return (
    <section className={styles.sheet} aria-label={`Your repositories at ${host}`}>
      <h2>Your repositories at {host}</h2>
      <input
        className={styles.field}
        type="search"
        aria-label="Search repositories"
        placeholder="Search…"
        value={search}
        onChange={({ target }) => setSearch(target.value)}
      />
      {isPending && <Loading what="your repositories" />}
      {error && <Failed error={error} retry={() => void refetch()} />}
      {data?.repositories.length === 0 && <p className={styles.mute}>None found.</p>}
      <ul className={styles.list}>
        {data?.repositories.map((one) => (
          <li key={one.link} className={styles.row}>
            <span className={styles.grow}>
              {one.owner}/{one.name} {one.private && <span className={styles.mute}>private</span>}
            </span>
            <span className={styles.mute}>
              {one.linked === null ? '' : one.linked ? '.origami ✓' : 'not linked yet'}
            </span>
            <button type="button" className={styles.button} onClick={() => onPick(one)}>
              Choose
            </button>
          </li>
        ))}
      </ul>
      {data?.cut && (
        <p className={styles.mute}>There may be more than are shown: type more of the name, or paste the link above.</p>
      )}
      {data && !data.private_authorised && (
        <a href={`/-/sign-in/${host}?scope=repo&return=/-/new`}>Show private repositories too</a>
      )}
    </section>
  )
}
