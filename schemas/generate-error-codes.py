#!/usr/bin/env python3
"""Writes schemas/error-codes.txt: the error codes that AWS's services answer with, one a line, sorted.

    pip install botocore==1.44.8 && python3 schemas/generate-error-codes.py

botocore's service models (Apache-2.0) name the errors of most services; CloudTrail writes an error's name, or its code where
that differs, so both are taken. EC2's and S3's models name few, so those of their guides that policies ask for are below:
"Error codes for the Amazon EC2 API", "Error responses" of Amazon S3, and "Common errors" of the other references.
"""

import pathlib

import botocore
import botocore.loaders

VERSION = "1.44.8"

COMMON = """
AccessDenied AccessDeniedException AuthFailure Blocked ExpiredToken ExpiredTokenException IncompleteSignature
InternalError InternalFailure InvalidAction InvalidClientTokenId InvalidParameterCombination InvalidParameterValue
InvalidQueryParameter MalformedQueryString MissingAction MissingAuthenticationToken MissingParameter NotAuthorized
OptInRequired PendingVerification RequestExpired RequestLimitExceeded ServiceUnavailable SignatureDoesNotMatch Throttling
ThrottlingException UnauthorizedOperation UnrecognizedClientException UnsupportedOperation ValidationError
"""

EC2 = """
AddressLimitExceeded ConcurrentSnapshotLimitExceeded DependencyViolation DryRunOperation EncryptedVolumesNotSupported
FlowLogAlreadyExists FlowLogsLimitExceeded IdempotentParameterMismatch IncorrectInstanceState IncorrectState
InstanceLimitExceeded InsufficientInstanceCapacity InvalidAMIID.Malformed InvalidAMIID.NotFound InvalidAMIID.Unavailable
InvalidAddress.Locked InvalidAddress.NotFound InvalidAddressID.NotFound InvalidAllocationID.NotFound
InvalidAssociationID.NotFound InvalidAttachment.NotFound InvalidAttachmentID.NotFound InvalidFlowLogId.NotFound
InvalidGroup.Duplicate InvalidGroup.InUse InvalidGroup.NotFound InvalidGroupId.Malformed InvalidIPAddress.InUse
InvalidInstanceID.Malformed InvalidInstanceID.NotFound InvalidInternetGatewayID.NotFound InvalidKeyPair.Duplicate
InvalidKeyPair.Format InvalidKeyPair.NotFound InvalidNetworkInterfaceID.NotFound InvalidParameter InvalidPermission.Duplicate
InvalidPermission.Malformed InvalidPermission.NotFound InvalidRoute.NotFound InvalidRouteTableID.NotFound
InvalidSecurityGroupID.NotFound InvalidSnapshot.InUse InvalidSnapshot.NotFound InvalidSubnetID.NotFound InvalidUserID.Malformed
InvalidVolume.NotFound InvalidVolumeID.Malformed InvalidVpcEndpointId.NotFound InvalidVpcID.NotFound OperationNotPermitted
ResourceLimitExceeded RulesPerSecurityGroupLimitExceeded SecurityGroupLimitExceeded SnapshotLimitExceeded VcpuLimitExceeded
VolumeInUse VpcLimitExceeded
"""

S3 = """
AllAccessDisabled BucketAlreadyExists BucketAlreadyOwnedByYou BucketNotEmpty InvalidAccessKeyId InvalidBucketName
InvalidBucketState InvalidObjectState InvalidPolicyDocument MalformedPolicy MethodNotAllowed NoSuchBucket NoSuchBucketPolicy
NoSuchCORSConfiguration NoSuchKey NoSuchLifecycleConfiguration NoSuchPublicAccessBlockConfiguration NoSuchTagSet NoSuchUpload
NoSuchVersion NoSuchWebsiteConfiguration ObjectLockConfigurationNotFoundError OperationAborted
OwnershipControlsNotFoundError PermanentRedirect PreconditionFailed ReplicationConfigurationNotFoundError
ServerSideEncryptionConfigurationNotFoundError SlowDown
"""


def main():
    if botocore.__version__ != VERSION:
        raise SystemExit(f"botocore {VERSION} is wanted, and {botocore.__version__} is here")
    loader = botocore.loaders.Loader()
    codes = set((COMMON + EC2 + S3).split())
    for service in loader.list_available_services("service-2"):
        for version in loader.list_api_versions(service, "service-2"):
            for name, shape in loader.load_service_model(service, "service-2", version)["shapes"].items():
                if shape.get("exception"):
                    codes |= {name, shape.get("error", {}).get("code", name)}
    head = [
        f"# Error codes of AWS, from the service models of botocore {VERSION} (Apache-2.0) and from the guides of EC2 and S3.",
        "# Made by schemas/generate-error-codes.py.",
    ]
    path = pathlib.Path(__file__).with_name("error-codes.txt")
    path.write_text("\n".join(head + sorted(codes)) + "\n")


if __name__ == "__main__":
    main()
