import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { call, useSession } from '../api.ts'
import { DemoCards } from '../parts/demo-cards.tsx'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'

const sorts = { new: 'newest', used: 'most used', name: 'by name' }
const isSort = (text: string): text is keyof typeof sorts => text in sorts

/** All public demos. */
export function GalleryPage() {
  useTitle('Demos')
  const [searchText, setSearchText] = useState('')
  const [sort, setSort] = useState<keyof typeof sorts>('new')
  const query = useQuery({
    queryKey: ['demos', sort, searchText],
    queryFn: () => call('GET /-/api/demos', { query: { q: searchText, sort } }),
  })
  const search = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)
      if (event.key !== '/' || typing) return
      event.preventDefault()
      search.current?.focus()
    }
    addEventListener('keydown', slash)
    return () => removeEventListener('keydown', slash)
  }, [])
  return (
    <div className={styles.stack}>
      <h1>Demos</h1>
      <search className={styles.row}>
        <input
          ref={search}
          className={`${styles.field} ${styles.grow}`}
          type="search"
          aria-label="Search demos"
          placeholder="Search demos…"
          value={searchText}
          onChange={({ target }) => setSearchText(target.value)}
        />
        <select
          className={styles.button}
          aria-label="Sort"
          value={sort}
          onChange={({ target }) => isSort(target.value) && setSort(target.value)}
        >
          {Object.entries(sorts).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </search>
      <DemoCards query={query} empty={searchText ? <p>No demo has these words.</p> : <FirstDemo />} />
    </div>
  )
}

const commands = [
  'npm run origami -- serve model.py',
  'npm run origami -- bundle .',
  'npm run origami -- deploy https://github.com/you/your-model',
].join('\n')

function FirstDemo() {
  const { data: session } = useSession()
  const [copied, setCopied] = useState(false)
  return (
    <>
      <p>
        No demo yet.{' '}
        {session?.account?.may_deploy
          ? 'Three commands make the first:'
          : 'The owner of this server makes the first with three commands:'}
      </p>
      <div className={styles.code}>
        <pre>{commands}</pre>
      </div>
      <button
        type="button"
        className={styles.button}
        onClick={() => void navigator.clipboard?.writeText(commands).then(() => setCopied(true))}
      >
        {copied ? 'Copied' : 'Copy'}
      </button>
    </>
  )
}
