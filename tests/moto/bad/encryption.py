"""Encryption of EBS and of KMS keys."""
import boto3

from . import REGION, Case, makes


def ec2():
    return boto3.client("ec2", region_name=REGION)


@makes("ebs-default-encryption-off")
def default_encryption_off():
    ec2().disable_ebs_encryption_by_default()
    return Case("ebs-default-encryption-off")
