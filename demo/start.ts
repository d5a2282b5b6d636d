import manifest from '../package.json' with { type: 'json' }

const [program, ...args] = manifest.scripts.start.split(' ')
if (program !== 'node') throw new Error('The script "start" of package.json must begin with "node"')

/** The arguments that `npm start` passes to node, without `--build`. */
export const START_ARGS: readonly string[] = args.filter((arg) => arg !== '--build')
/** The options of node itself in START_ARGS. */
export const NODE_OPTIONS: readonly string[] = START_ARGS.filter((arg) => arg.startsWith('-'))
