using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Text;

namespace Sketch.Engine.Catalogue;

/// <summary>
/// A counter's id: the 64-bit XXH3 of "namespace:name" in UTF-8, the same as ClickHouse's <c>xxh3(concat(namespace, ':', name))</c>. A namespace
/// has no colon, so two different pairs never make the same bytes. Two names may still hash alike: the catalogue finds that out by a second hash (<see cref="NameHash"/>).
/// </summary>
public static class CounterId
{
    /// <summary>How many partitions there are; the top bits of an id choose one.</summary>
    public const int Partitions = 64;

    /// <summary>The id of a counter.</summary>
    public static ulong Of(string @namespace, string name)
    {
        Span<byte> bytes = stackalloc byte[EngineLimits.MaxNamespaceLength + 1 + EngineLimits.MaxNameBytes];
        string full = $"{@namespace}:{name}";
        int length = Encoding.UTF8.GetByteCount(full);
        return length <= bytes.Length
            ? XxHash3.HashToUInt64(bytes[..Encoding.UTF8.GetBytes(full, bytes)])
            : XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(full));
    }

    /// <summary>The id of a counter, from "namespace:" and name in UTF-8.</summary>
    [SkipLocalsInit]
    internal static ulong Of(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> name)
    {
        Span<byte> bytes = stackalloc byte[EngineLimits.MaxNamespaceLength + 1 + EngineLimits.MaxNameBytes];
        prefix.CopyTo(bytes);
        name.CopyTo(bytes[prefix.Length..]);
        return XxHash3.HashToUInt64(bytes[..(prefix.Length + name.Length)]);
    }

    /// <summary>The partition of an id, 0 to 63.</summary>
    public static int Partition(ulong id) => (int)(id >> 58);
}
