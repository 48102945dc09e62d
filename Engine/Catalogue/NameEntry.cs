using System.Runtime.Intrinsics;

namespace Sketch.Engine.Catalogue;

/// <summary>
/// What the catalogue knows of an id without its name: 64 bits, of which the lower 40 are a keyed hash of the name, so that another name on the same id is found out;
/// the name itself is in ClickHouse. Of a counter that is out of memory only 16 bits of the hash are kept.
/// </summary>
internal readonly struct NameEntry(NameHash hash, long reference)
{
    internal const int NamespaceBits = 10;

    // A reference: hash of the name (40 bits, never zero), flags (14), namespace (10).
    internal const int HashBits = 40;
    internal const int NamespaceShift = 64 - NamespaceBits;
    internal const long HashMask = (1L << HashBits) - 1;
    internal const long ShortMask = ((1L << 16) - 1) << 1;
    internal const long DeclaredFlag = 1L << HashBits;
    internal const long DefinedFlag = 1L << (HashBits + 1);
    internal const long RemovedFlag = 1L << (HashBits + 2);

    /// <summary>The store has all there is of it: its name and total, or that it is gone.</summary>
    internal const long StoredFlag = 1L << (HashBits + 3);

    /// <summary>It stays in memory.</summary>
    internal const long PinnedFlag = 1L << (HashBits + 4);

    /// <summary>Its total is not in memory.</summary>
    internal const long UnloadedFlag = 1L << (HashBits + 5);

    /// <summary>Of the name's hash only the bits of <see cref="ShortMask"/> are known.</summary>
    internal const long ShortFlag = 1L << (HashBits + 6);

    /// <summary>How lately it was used, 0 to 3.</summary>
    internal const int UsedShift = HashBits + 7;
    internal const long UsedMask = 3L << UsedShift;

    /// <summary>It may be about to go: batches bring its name again, which keeps it.</summary>
    internal const long ExpiringFlag = 1L << (HashBits + 9);

    private const long UsualMask = (-1L << NamespaceShift) | DeclaredFlag | DefinedFlag | RemovedFlag | ExpiringFlag;

    /// <summary>Batches carry the name: the log did not hold it when it was looked up, or forgets it soon unless it comes again.</summary>
    public bool NeedsName => (reference & (DeclaredFlag | ExpiringFlag)) != DeclaredFlag;

    /// <summary>The log held this name when it was looked up: readers may see the counter.</summary>
    public bool IsDeclared => (reference & DeclaredFlag) != 0;

    /// <summary>The counter had a definition of its own when it was looked up.</summary>
    public bool IsDefined => (reference & DefinedFlag) != 0;

    /// <summary>The counter was deleted and had not come again when it was looked up.</summary>
    public bool IsRemoved => (reference & RemovedFlag) != 0;

    /// <summary>Whose counter it is.</summary>
    public ushort NamespaceIndex => (ushort)(reference >>> NamespaceShift);

    /// <summary>Whether this is the entry of a name. Wrong for another name on the same 64-bit id once in 2^39, or in 2^16 while the counter is out of memory.</summary>
    public bool Is(ushort namespaceIndex, ReadOnlySpan<byte> nameUtf8)
    {
        long mask = (reference & ShortFlag) != 0 ? ShortMask : HashMask;
        return NamespaceIndex == namespaceIndex && ((reference ^ hash.Of(nameUtf8)) & mask) == 0;
    }

    /// <summary>What nearly every increment's counter is: declared, without a definition of its own, in this namespace.</summary>
    internal static long Usual(ushort namespaceIndex) => ((long)namespaceIndex << NamespaceShift) | DeclaredFlag;

    /// <summary>The part of a reference that is compared with <see cref="Usual"/>.</summary>
    internal static long UsualPart(long reference) => reference & UsualMask;

    /// <summary>Those parts of several references.</summary>
    internal static Vector256<long> UsualPart(Vector256<long> references) => references & Vector256.Create(UsualMask);
}
