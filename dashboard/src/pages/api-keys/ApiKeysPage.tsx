import { usePages } from '../../api/usePages.ts'
import type { ApiKeysQuery, OwnApiKeysQuery } from '../../generated/documents.ts'
import { Page } from '../../ui/layout/Page.tsx'
import { WhomToAsk } from '../../viewer/NotAllowed.tsx'
import { mayManage } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { CreateKey } from './CreateKey.tsx'
import { ApiKeys, OwnApiKeys } from './documents.ts'
import { KeyList } from './KeyList.tsx'

const PAGE_SIZE = { first: 50 }
const all = ({ apiKeys }: ApiKeysQuery) => apiKeys
const own = ({ ownApiKeys }: OwnApiKeysQuery) => ownApiKeys

export function Component() {
  const { role } = useWorkspace()
  return mayManage(role) ? <AllKeys /> : <OwnKeys />
}

function AllKeys() {
  const pages = usePages(ApiKeys, PAGE_SIZE, all)
  return (
    <Page
      wide
      title="API keys"
      description="Credentials for programs that use this workspace. A key never has more access than its owner."
      actions={<CreateKey onCreated={pages.reload} />}
    >
      <KeyList pages={pages}>
        Keys let your programs read and change this workspace over REST or GraphQL. Choose the lowest permission that
        works. You can revoke a key at any time.
      </KeyList>
    </Page>
  )
}

/** Without full access: what belongs to oneself. */
function OwnKeys() {
  const pages = usePages(OwnApiKeys, PAGE_SIZE, own)
  return (
    <Page
      wide
      title="API keys"
      description={
        <>
          Your keys. Owners and admins create keys and see all of them. <WhomToAsk />
        </>
      }
    >
      <KeyList pages={pages}>
        Keys that act for you appear here. You can revoke them at any time. <WhomToAsk />
      </KeyList>
    </Page>
  )
}
