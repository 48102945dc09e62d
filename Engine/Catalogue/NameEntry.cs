using System.Buffers.Binary;
using System.Text;

namespace Sketch.Engine.Catalogue;

/// <summary>
/// One name in a <see cref="NameTable"/>: what is looked at for every increment (namespace and flags) lies in the table's slot, the name itself elsewhere,
/// as length (2 bytes) and UTF-8 bytes.
/// </summary>
internal readonly struct NameEntry(byte[] chunk, long reference)
{
    public const int HeaderBytes = 2;

    // A reference: namespace (16 bits), flags (3), place of the name (45).
    internal const int PlaceBits = 45;
    internal const int FlagBits = 3;
    internal const long PlaceMask = (1L << PlaceBits) - 1;
    internal const long DeclaredFlag = 1L << PlaceBits;
    internal const long DefinedFlag = 1L << (PlaceBits + 1);
    internal const long RemovedFlag = 1L << (PlaceBits + 2);
    internal const int NamespaceShift = PlaceBits + FlagBits;

    /// <summary>The log held this name when it was looked up: batches need not carry it any more, and readers may see the counter.</summary>
    public bool IsDeclared => (reference & DeclaredFlag) != 0;

    /// <summary>The counter had a definition of its own when it was looked up.</summary>
    public bool IsDefined => (reference & DefinedFlag) != 0;

    /// <summary>The counter was deleted and had not come again when it was looked up; its name stays, since ids never change.</summary>
    public bool IsRemoved => (reference & RemovedFlag) != 0;

    public ushort NamespaceIndex => (ushort)(reference >>> NamespaceShift);

    public ReadOnlySpan<byte> NameUtf8
    {
        get
        {
            int offset = (int)(reference & (NameTable.ChunkBytes - 1));
            return chunk.AsSpan(offset + HeaderBytes, BinaryPrimitives.ReadUInt16LittleEndian(chunk.AsSpan(offset)));
        }
    }

    public string Name => Encoding.UTF8.GetString(NameUtf8);

    public bool Is(ushort namespaceIndex, ReadOnlySpan<byte> nameUtf8) =>
        NamespaceIndex == namespaceIndex && NameUtf8.SequenceEqual(nameUtf8);

    internal static void Write(Span<byte> into, ReadOnlySpan<byte> name)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(into, (ushort)name.Length);
        name.CopyTo(into[HeaderBytes..]);
    }
}
