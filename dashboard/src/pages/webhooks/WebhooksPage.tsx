import { Route, Routes } from 'react-router'
import { NotFound } from '../../ui/states/NotFound.tsx'
import { EndpointPage } from './endpoint/EndpointPage.tsx'
import { EndpointList } from './list/EndpointList.tsx'

/** `/settings/webhooks`, an endpoint, and one of its deliveries beside the others. */
export function Component() {
  return (
    <Routes>
      <Route index element={<EndpointList />} />
      <Route path=":endpointId/:deliveryId?" element={<EndpointPage />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  )
}
