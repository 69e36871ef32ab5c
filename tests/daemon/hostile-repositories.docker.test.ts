import { brokenEverywhere, hostileRepositories } from './hostile-repositories.ts'

const from = 'FROM node:24-bookworm-slim\n'
const cheap = ['that exits at once', 'that prints one line without an end and exits', 'with an .origami of brackets']

hostileRepositories('docker', [
  ...brokenEverywhere.filter(({ what }) => cheap.includes(what)),
  { what: 'with an empty Dockerfile', files: { Dockerfile: '' }, state: 'config_error', says: 'line `FROM image`' },
  {
    what: 'whose Dockerfile is a link',
    files: { Dockerfile: null },
    links: { Dockerfile: 'model.ts' },
    state: 'config_error',
    says: 'expected `Dockerfile` to be a plain file',
  },
  {
    what: 'with half a bracket in .dockerignore',
    files: { '.dockerignore': '.git\n*.[ch\n' },
    state: 'config_error',
    says: '`.dockerignore` line 2: expected a `]` after `[`',
  },
  {
    what: 'that works in a file descriptor of its runtime',
    files: { Dockerfile: `${from}WORKDIR /proc/self/fd/8\nCMD ["node", "-e", "process.exit(4)"]\n` },
    state: ['build_failed', 'start_failed'],
    says: /./,
  },
])
