import { Route, Routes } from 'react-router'
import { Component as NotFoundPage } from '../not-found/NotFoundPage.tsx'
import { EndpointList } from './EndpointList.tsx'
import { EndpointPage } from './EndpointPage.tsx'

/** `/settings/webhooks`, an endpoint, and one of its deliveries beside the others. */
export function Component() {
  return (
    <Routes>
      <Route index element={<EndpointList />} />
      <Route path=":endpointId/:deliveryId?" element={<EndpointPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  )
}
