import { UnstyledButton } from '@mantine/core'
import { ChevronRight } from 'lucide-react'
import { Time } from '../../ui/Time.tsx'
import tables from '../../ui/table.module.css'
import { actorKind } from '../../viewer/actor.ts'
import classes from './EntryTable.module.css'
import { Sentence } from './Sentence.tsx'
import { actorNameOf, type Entry, textOf } from './sentences.ts'

interface EntryTableProps {
  readonly entries: readonly Entry[]
  readonly onOpen: (entry: Entry) => void
}

export function EntryTable({ entries, onOpen }: EntryTableProps) {
  return (
    <div className={tables.frame}>
      <table className={tables.table}>
        <caption className="visually-hidden">Audit log, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">From</th>
            <th scope="col">When</th>
            <th scope="col">
              <span className="visually-hidden">Details</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id} className={classes.row}>
              <td>
                <span className={tables.main}>{actorNameOf(entry)}</span>
                <span className={classes.kind}>{entry.actor !== null && actorKind(entry.actor)}</span>
              </td>
              <td className={classes.what}>
                <Sentence entry={entry} />
              </td>
              <td data-label="From" className={tables.code}>
                {entry.address ?? '–'}
              </td>
              <td data-label="When" className={classes.when}>
                <Time at={entry.createdAt} />
              </td>
              <td className={classes.open}>
                {/* Reaches over the whole row. */}
                <UnstyledButton className={classes.button} onClick={() => onOpen(entry)}>
                  <ChevronRight size={16} aria-hidden />
                  <span className="visually-hidden">Details: {textOf(entry)}</span>
                </UnstyledButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
