import { Link } from 'react-router'
import { useWorkspace } from '../../viewer/workspace.ts'
import classes from './EntryTable.module.css'
import { type Entry, nameOf, partsOf, placeOf } from './sentences.ts'

/** "changed the role of Ada from Agent to Admin", with a link where Ada can be seen. */
export function Sentence({ entry }: { readonly entry: Entry }) {
  const { path } = useWorkspace()
  const { before, after } = partsOf(entry)
  const place = placeOf(entry)
  const name = nameOf(entry)
  return (
    <span className={classes.sentence}>
      {before}
      {after !== null &&
        (place === null ? (
          <strong>{name}</strong>
        ) : (
          <Link className={classes.target ?? ''} to={path(place)}>
            {name}
          </Link>
        ))}
      {after}
    </span>
  )
}
