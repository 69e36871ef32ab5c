import { spawn } from 'node:child_process'
import { access, appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programWorks } from '@origami/host/program-works'
import { execa } from 'execa'
import { failedTests, type Report, slowestTests } from '../tests/report.ts'
import { buildAll } from './build.ts'

/** What a suite needs beyond Node and git. The names of its files end in `.<name>.test.ts`. */
interface Need {
  readonly name: string
  readonly title: string
  /** Why the suite cannot run here. Undefined when it can. */
  missing(): Promise<string | undefined>
  readonly remedy: string
}

const needs: readonly Need[] = [
  {
    name: 'python',
    title: 'Python models',
    missing: async () =>
      (await programWorks('python3', ['-c', 'import sys; assert sys.version_info >= (3, 10)']))
        ? undefined
        : 'no python3 of 3.10 or newer',
    remedy: 'apt-get install python3 python3-venv',
  },
  {
    name: 'browser',
    title: 'Pages in Chromium',
    missing: async () =>
      (await exists(process.env.ORIGAMI_CHROMIUM ?? '/usr/bin/chromium'))
        ? undefined
        : 'no Chromium (ORIGAMI_CHROMIUM names another place)',
    remedy: 'apt-get install chromium',
  },
  {
    name: 'netns',
    title: 'Two hosts, as two network namespaces',
    missing: async () =>
      (await namespaceWorks()) ? undefined : '`ip netns add` does not work here (it takes root, and iproute2)',
    remedy: 'apt-get install iproute2, and run as root',
  },
  {
    name: 'mount',
    title: 'A disk that fills up',
    missing: async () => ((await mountWorks()) ? undefined : '`mount` does not work here (it takes root)'),
    remedy: 'run as root',
  },
  {
    name: 'docker',
    title: 'The docker engine',
    missing: async () => {
      if (!(await exists('/var/run/docker.sock'))) return 'no Docker engine answers'
      const images = await execa('docker', ['image', 'inspect', 'node:24-bookworm-slim', 'python:3.12-slim-bookworm'], {
        reject: false,
      })
      return images.exitCode === 0 ? undefined : 'Docker or its base images are missing'
    },
    remedy: 'start Docker, then `docker pull` both, or without a registry: npm run base-images',
  },
]

const root = join(import.meta.dirname, '..')
const long = process.argv.includes('--long')
const args = process.argv.slice(2).filter((argument) => argument !== '--long')

if (args.includes('--help')) {
  console.log(
    'npm test [-- vitest arguments]\nRuns every suite this machine can run, and lists the others. ORIGAMI_TEST_REQUIRE=all makes a suite left out a failure.\nnpm run test:long runs the long ones instead (*.long.test.ts): soaks, and crashes by the dozen.',
  )
} else {
  await buildAll()
  const left: (Need & { reason: string })[] = []
  for (const need of needs) {
    const reason = await need.missing()
    if (reason) left.push({ ...need, reason })
  }
  const { code, report } = await vitest(left)
  for (const need of left)
    console.log(`left out: ${need.title} (*.${need.name}.test.ts): ${need.reason}. To run it: ${need.remedy}`)
  const required = process.env.ORIGAMI_TEST_REQUIRE === 'all' && left.length > 0
  if (required) console.log('ORIGAMI_TEST_REQUIRE=all: a suite left out is a failure')
  const { numPassedTests: passed = 0, numFailedTests: failed = 0 } = report
  const summary = [
    ...slowestTests(report, root),
    `tests: ${passed} passed, ${failed} failed`,
    ...failedTests(report, root),
  ].join('\n')
  console.log(summary)
  const { ORIGAMI_TEST_SUMMARY: summaries } = process.env
  if (summaries) await appendFile(summaries, `${summary}\n`)
  process.exitCode = code !== 0 || required ? 1 : 0
}

async function vitest(left: readonly Need[]): Promise<{ code: number; report: Report }> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-test-'))
  const file = join(folder, 'report.json')
  const excludes = [...left.map((need) => `**/*.${need.name}.*`), ...(long ? [] : ['**/*.long.*'])].flatMap((glob) => [
    '--exclude',
    glob,
  ])
  // Vitest runs the files that match any of several names, so when files are named only those are passed.
  const only = long && args.every((argument) => argument.startsWith('-')) ? ['.long.'] : []
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...excludes, ...only, ...args],
    {
      cwd: root,
      stdio: 'inherit',
      // Tests start our programs hundreds of times. Half of the time of each start is compiling the same modules.
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
    },
  )
  const code = await new Promise<number>((resolve) => child.once('exit', (exit) => resolve(exit ?? 1)))
  const report = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Report
  await rm(folder, { recursive: true, force: true })
  return { code, report }
}

async function namespaceWorks(): Promise<boolean> {
  const name = `origami-probe-${process.pid}`
  return (await programWorks('ip', ['netns', 'add', name])) && (await programWorks('ip', ['netns', 'del', name]))
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function mountWorks(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-probe-'))
  try {
    const isMounted = await programWorks('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
    return isMounted && (await programWorks('umount', [folder]))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
