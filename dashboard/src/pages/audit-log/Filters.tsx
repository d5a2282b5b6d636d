import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from 'urql'
import type { FieldFault } from '../../api/useAction.ts'
import { AuditActors } from './documents.ts'
import classes from './Filters.module.css'
import { CHOICES } from './sentences.ts'
import type { LogAddress } from './useLogAddress.ts'

interface FiltersProps {
  readonly address: LogAddress
  /** What the server refused, by the names of its filter. */
  readonly faults: readonly FieldFault[]
}

export function Filters({ address: { params, set, clear, isFiltered }, faults }: FiltersProps) {
  const faultOf = (name: string) => faults.find(({ path }) => path.endsWith(name))?.message
  const target = params.get('target') ?? ''
  return (
    <search className={classes.filters} aria-label="Filter the log">
      <NativeSelect
        label="What"
        value={params.get('action') ?? ''}
        data={[{ value: '', label: 'Anything' }, ...CHOICES]}
        onChange={(event) => set({ action: event.currentTarget.value })}
      />
      <ActorSelect value={params.get('actor') ?? ''} onChange={(actor) => set({ actor })} />
      <TextInput
        // What the address says is what stands in it, also after the address has changed by itself.
        key={target}
        label="Object"
        placeholder="An id, such as key_…"
        error={faultOf('targetId')}
        defaultValue={target}
        onBlur={(event) => set({ target: event.currentTarget.value.trim() })}
        onKeyDown={(event) => {
          if (event.key === 'Enter') set({ target: event.currentTarget.value.trim() })
        }}
      />
      <TextInput
        type="date"
        label="From"
        error={faultOf('createdAt.from')}
        max={params.get('to') ?? undefined}
        value={params.get('from') ?? ''}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label="To"
        error={faultOf('createdAt.to')}
        min={params.get('from') ?? undefined}
        value={params.get('to') ?? ''}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
      {isFiltered && (
        <Button variant="default" onClick={clear}>
          Clear
        </Button>
      )}
    </search>
  )
}

interface ActorSelectProps {
  readonly value: string
  readonly onChange: (id: string) => void
}

function ActorSelect({ value, onChange }: ActorSelectProps) {
  const [{ data }] = useQuery({ query: AuditActors })
  const option = ({ id, displayName }: { id: string; displayName: string }) => ({ value: id, label: displayName })
  const members = data?.workspace?.members?.edges.map(({ node }) => option(node)) ?? []
  const agents = data?.agents?.edges.map(({ node }) => option(node)) ?? []
  // An agent's key acts as the agent.
  const keys = data?.apiKeys?.edges.filter(({ node }) => node.agentId === null).map(({ node }) => option(node)) ?? []
  const groups = [
    { group: 'Members', items: members },
    { group: 'AI agents', items: agents },
    { group: 'API keys', items: keys },
  ].filter(({ items }) => items.length > 0)
  const isKnown = value === '' || groups.some(({ items }) => items.some((item) => item.value === value))
  return (
    <NativeSelect
      label="Who"
      value={value}
      // Whoever has left since is not in the lists.
      data={[{ value: '', label: 'Anybody' }, ...(isKnown ? [] : [{ value, label: value }]), ...groups]}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
