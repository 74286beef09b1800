import type { Feature } from '../feature.ts';

/** Off by default: it lets clients in that nobody here has looked at. What it does stands in clients/document-clients.ts. */
export const clientIdMetadataDocumentsFeature: Feature = {
  specification: 'draft-ietf-oauth-client-id-metadata-document-02: clients that a document of their own describes',
  name: 'client-id-metadata-documents',
  metadata: { client_id_metadata_document_supported: true },
};
