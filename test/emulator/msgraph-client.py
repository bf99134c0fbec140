"""
What Microsoft's SDK for Python does with the collection, as its users write it: create, get, list, pages, query options,
update, delete, $batch, errors. Its settings are arguments; the last line that it prints is what came out, as JSON.
"""

import argparse
import asyncio
import datetime
import json
import ssl

import httpx
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph_beta import GraphServiceClient
from msgraph_beta.generated.device_management.certificate_connector_details.certificate_connector_details_request_builder import (
    CertificateConnectorDetailsRequestBuilder,
)
from msgraph_beta.generated.models.certificate_connector_details import CertificateConnectorDetails
from msgraph_beta.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_beta.graph_request_adapter import GraphRequestAdapter
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator

ENROLLED = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


def details(machine):
    return CertificateConnectorDetails(
        connector_name="Connector of Python",
        connector_version="6.2406.0.1001",
        enrollment_date_time=ENROLLED,
        last_checkin_date_time=ENROLLED,
        machine_name=machine,
    )


def plain(entity):
    return {
        "connectorName": entity.connector_name,
        "connectorVersion": entity.connector_version,
        "enrollmentDateTime": entity.enrollment_date_time and entity.enrollment_date_time.isoformat(),
        "machineName": entity.machine_name,
        "odataType": entity.odata_type,
    }


def client_of(options, credential):
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["localhost"]
    )
    base_url = options.url + "/beta"
    context = ssl.create_default_context(cafile=options.ca_file)
    http = httpx.AsyncClient(verify=context, base_url=base_url)
    adapter = GraphRequestAdapter(provider, GraphClientFactory.create_with_default_middleware(client=http))
    adapter.base_url = base_url
    return adapter


async def one_by_one(collection):
    created = await collection.post(details("one"))
    item = collection.by_certificate_connector_details_id(created.id)
    got = await item.get()
    updated = await item.patch(CertificateConnectorDetails(machine_name="one, renamed"))
    await item.delete()
    try:
        await item.get()
        error = None
    except ODataError as refused:
        inner = refused.error.inner_error
        error = {
            "status": refused.response_status_code,
            "code": refused.error.code,
            "message": refused.error.message,
            "innerIsWhole": None not in (inner.date, inner.request_id, inner.client_request_id),
        }
    return {
        "created": plain(created),
        "gotIsCreated": got.id == created.id and plain(got) == plain(created),
        "updated": plain(updated),
        "error": error,
        "goneId": created.id,
    }


async def in_batch(adapter, collection, gone_id):
    requests = {
        "first": collection.to_post_request_information(details("batch, first")),
        "second": collection.to_post_request_information(details("batch, second")),
        "list": collection.to_get_request_information(),
        "gone": collection.by_certificate_connector_details_id(gone_id).to_get_request_information(),
    }
    items = {key: BatchRequestItem(request, key) for key, request in requests.items()}
    answered = await BatchRequestBuilder(adapter, {"4XX": ODataError, "5XX": ODataError}).post(BatchRequestContent(items))
    # The bodies stay unread: this SDK takes them for base64, and Graph documents JSON. What was carried out, lists show.
    return {
        "isAbsolute": all(item.url.startswith("https://") for item in items.values()),
        "statuses": {key: answered.get_response_by_id(key).status for key in items},
    }


async def in_pages(adapter, collection):
    for number in range(5):
        await collection.post(details(f"page, {number}"))
    page = await collection.get()
    machines = []

    def take(entity):
        machines.append(entity.machine_name)
        return True

    await PageIterator(page, adapter).iterate(take)
    return {"onFirst": len(page.value), "machines": machines}


async def with_options(adapter, collection):
    parameters = CertificateConnectorDetailsRequestBuilder.CertificateConnectorDetailsRequestBuilderGetQueryParameters(
        select=["id", "machineName"], top=2, count=True, orderby=["machineName desc"], filter="startswith(machineName,'page')"
    )
    page = await collection.get(request_configuration=RequestConfiguration(query_parameters=parameters))
    found = list(page.value)
    while page.odata_next_link:
        page = await collection.with_url(page.odata_next_link).get()
        found.extend(page.value)
    return {
        "count": page.odata_count,
        "machines": [entity.machine_name for entity in found],
        "othersAreLeftOut": all(entity.id and entity.connector_name is None for entity in found),
    }


async def main():
    parser = argparse.ArgumentParser()
    for name in ["url", "ca-file", "tenant", "client-id", "client-secret"]:
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    credential = ClientSecretCredential(
        options.tenant,
        options.client_id,
        options.client_secret,
        authority=options.url,
        disable_instance_discovery=True,
        connection_verify=options.ca_file,
    )
    async with credential:
        adapter = client_of(options, credential)
        collection = GraphServiceClient(request_adapter=adapter).device_management.certificate_connector_details
        single = await one_by_one(collection)
        batch = await in_batch(adapter, collection, single.pop("goneId"))
        pages = await in_pages(adapter, collection)
        chosen = await with_options(adapter, collection)
    print(json.dumps({"single": single, "batch": batch, "pages": pages, "options": chosen}))


asyncio.run(main())
