//! Addresses and networks, of both families.

use std::net::IpAddr;

use ipnet::IpNet;
use rhai::Dynamic;

use super::{Family, Lowered, Row, as_text, text_or_nothing};
use crate::script::predicate::Value;

pub(super) const FAMILY: Family = Family {
    name: "Network",
    doc: "Addresses and CIDR blocks, IPv4 and IPv6. What is not an address (`AWS Internal`, a service's name, an anonymised quad) is in no block and not public.",
    rows: &[
        Row {
            name: "is_ip",
            params: &["text"],
            doc: "True if the text is one IP address.",
            examples: &[r#"is_ip("198.51.100.7")"#, r#"is_ip("2001:db8::1")"#, r#"!is_ip("AWS Internal")"#],
            run: |_, args| Ok(address(&args[0]).is_some().into()),
        },
        Row {
            name: "ip_in_cidr",
            params: &["ip", "cidr"],
            doc: "True if the address is in the block, or in one of a list of blocks. A block without a length is one address.",
            examples: &[
                r#"ip_in_cidr("10.1.2.3", "10.0.0.0/8")"#,
                r#"ip_in_cidr("10.1.2.3", ["192.168.0.0/16", "10.1.2.3"])"#,
                r#"!ip_in_cidr("AWS Internal", "0.0.0.0/0")"#,
            ],
            run: |call, args| {
                let Some(ip) = address(&args[0]) else { return Ok(false.into()) };
                if let Some(net) = network(&args[1]) {
                    return Ok(net.contains(&ip).into());
                }
                for item in super::list::items(&args[1]) {
                    call.charge(1)?;
                    if network(&item).is_some_and(|net| net.contains(&ip)) {
                        return Ok(true.into());
                    }
                }
                Ok(false.into())
            },
        },
        Row {
            name: "is_public_ip",
            params: &["ip"],
            doc: "True if the address can be reached from the internet: not private, loopback, link-local, shared (100.64.0.0/10), unique-local, multicast or reserved. Documentation addresses count as public.",
            examples: &[
                r#"is_public_ip("198.51.100.7")"#,
                r#"!is_public_ip("172.31.4.5")"#,
                r#"!is_public_ip("fd00::1")"#,
            ],
            run: |_, args| Ok(address(&args[0]).is_some_and(is_public).into()),
        },
        Row {
            name: "is_world",
            params: &["cidr"],
            doc: "True if the block is every address of its family: `0.0.0.0/0` or `::/0`, however it is spelt.",
            examples: &[r#"is_world("0.0.0.0/0")"#, r#"is_world("::/0")"#, r#"!is_world("10.0.0.0/8")"#],
            run: |_, args| Ok(network(&args[0]).is_some_and(|net| net.prefix_len() == 0).into()),
        },
        Row {
            name: "cidr_contains",
            params: &["outer", "inner"],
            doc: "True if every address of the inner block is in the outer one.",
            examples: &[
                r#"cidr_contains("10.0.0.0/8", "10.2.0.0/16")"#,
                r#"!cidr_contains("10.2.0.0/16", "10.0.0.0/8")"#,
            ],
            run: |_, args| Ok(pair(args).is_some_and(|(a, b)| a.contains(&b)).into()),
        },
        Row {
            name: "cidr_overlaps",
            params: &["a", "b"],
            doc: "True if some address is in both blocks.",
            examples: &[r#"cidr_overlaps("10.2.0.0/16", "10.0.0.0/8")"#, r#"!cidr_overlaps("10.0.0.0/8", "::/0")"#],
            run: |_, args| Ok(pair(args).is_some_and(|(a, b)| a.contains(&b) || b.contains(&a)).into()),
        },
        Row {
            name: "cidr_size",
            params: &["cidr"],
            doc: "How many addresses the block holds (at most 2^62); `()` if it is none.",
            examples: &[r#"cidr_size("10.0.0.0/24") == 256"#, r#"cidr_size("198.51.100.7") == 1"#],
            run: |_, args| {
                Ok(network(&args[0]).map_or(Dynamic::UNIT, |net| {
                    let bits = net.max_prefix_len() - net.prefix_len();
                    Dynamic::from(1_i64 << bits.min(62))
                }))
            },
        },
    ],
    lowered: &[
        ("is_ip", 1, Lowered::Of(|args| of_address(args, |_| true))),
        ("is_public_ip", 1, Lowered::Of(|args| of_address(args, is_public))),
        ("is_world", 1, Lowered::Of(is_world)),
        ("cidr_contains", 2, Lowered::Of(|args| of_blocks(args, |a, b| a.contains(b)))),
        ("cidr_overlaps", 2, Lowered::Of(|args| of_blocks(args, |a, b| a.contains(b) || b.contains(a)))),
    ],
};

fn address(value: &Dynamic) -> Option<IpAddr> {
    as_text(value)?.parse().ok()
}

fn network(value: &Dynamic) -> Option<IpNet> {
    parse(&as_text(value)?)
}

/// A block of addresses; without a length it is one address.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

fn pair(args: &[Dynamic]) -> Option<(IpNet, IpNet)> {
    Some((network(&args[0])?, network(&args[1])?))
}

/// The special-purpose registries of IANA (RFC 6890), but for documentation blocks: examples should behave.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(inner) => is_public(IpAddr::V4(inner)),
            None => {
                !(ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_multicast()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local())
            }
        },
    }
}

fn of_address<'a>(args: &[Value<'a>], ask: fn(IpAddr) -> bool) -> Option<Value<'a>> {
    text_or_nothing(&args[0], |text| Value::Bool(text.parse().is_ok_and(ask)), Value::Bool(false))
}

fn is_world<'a>(args: &[Value<'a>]) -> Option<Value<'a>> {
    let ask = |text: &str| Value::Bool(parse(text).is_some_and(|net| net.prefix_len() == 0));
    text_or_nothing(&args[0], ask, Value::Bool(false))
}

fn of_blocks<'a>(args: &[Value<'a>], ask: fn(&IpNet, &IpNet) -> bool) -> Option<Value<'a>> {
    match (&args[0], &args[1]) {
        (Value::Other, _) | (_, Value::Other) => None,
        (Value::Text(a), Value::Text(b)) => Some(Value::Bool(parse(a).zip(parse(b)).is_some_and(|(a, b)| ask(&a, &b)))),
        _ => Some(Value::Bool(false)),
    }
}
