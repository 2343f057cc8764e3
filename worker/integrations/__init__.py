"""The configuration's document where it comes from an address of Bimp's."""
