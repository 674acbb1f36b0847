"""Which addresses are on the public internet, by a list of our own.

Python's `is_global` takes several that are not for public: in 3.11.7 multicast, NAT64, 6to4 and the
deprecated IPv4-compatible addresses. Sources: IANA's special-purpose address registries (RFC 6890).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

#: Everything in IPv4 that is not a public unicast address.
SPECIAL_V4 = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

#: The one block that IPv6's public unicast addresses come from, and what in it is not public: protocol
#: assignments with Teredo and ORCHID, documentation, 6to4, which carries an IPv4 address inside.
PUBLIC_V6 = IPv6Network("2000::/3")
SPECIAL_V6 = tuple(
    IPv6Network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


def parsed(text: str) -> Address:
    """An address; an IPv4 address that is written as IPv6 becomes what it is.

    Raises:
        ValueError: It is no address, or it has a scope.
    """
    found = ip_address(text)
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            raise ValueError(f"{text} has a scope")
        return found.ipv4_mapped or found
    return found


def public(address: Address) -> bool:
    """Whether an address is a public unicast address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL_V4)
    return address in PUBLIC_V6 and not any(address in network for network in SPECIAL_V6)
