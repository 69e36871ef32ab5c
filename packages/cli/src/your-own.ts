/** The steps to deploy one's own model, as in the README, for this server and this checkout. */
export const yourOwn = (url: string, checkout: string): string => `
A demo of your own, in another terminal:
  cd ${shellQuoted(checkout)}
  python3 -m venv ~/.origami/venv && . ~/.origami/venv/bin/activate   # or the Python your model runs in
  pip install "$(npm run --silent wheel)"                             # the command origami
  origami init ~/your-model && cd ~/your-model                        # or cd to where your model.py is
  origami serve model.py                                              # try it; Ctrl-C ends it
  origami bundle
  git init -b main && git add -A && git commit -m "A demo"
  git remote add origin https://github.com/you/your-model             # an empty repository that you made there
  git push -u origin main
  origami login ${url}
  origami deploy`

const shellQuoted = (path: string): string => (/^[\w/.-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)
