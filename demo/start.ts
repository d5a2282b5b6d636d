import manifest from '../package.json' with { type: 'json' }

const [program, ...args] = manifest.scripts.start.split(' ')
if (program !== 'node') throw new Error('The script "start" of package.json must begin with "node"')

/** What `npm start` passes to node, apart from having the dashboard built. */
export const START_ARGS: readonly string[] = args.filter((arg) => arg !== '--build')
/** Of these, node's own options. */
export const NODE_OPTIONS: readonly string[] = START_ARGS.filter((arg) => arg.startsWith('-'))
