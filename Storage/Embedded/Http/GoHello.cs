using System.Text;

namespace Sketch.Storage.Embedded.Http;

/// <summary>
/// The first question of clickhouse-go, and so of Grafana, over HTTP. It reads the answer as a block of the protocol version that it names itself; the answer's revision
/// is 0, so that it reads all later blocks as plain Native, which is what they are.
/// </summary>
internal static class GoHello
{
    private const string Statement = "SELECT displayName(), version(), revision(), timezone()";

    // Blocks carry block info from 51903 on, and a byte a column from 54454 on.
    private const int BlockInfo = 51903;
    private const int CustomByte = 54454;

    /// <summary>The answer; null when the statement is another, or no protocol version is named.</summary>
    public static byte[]? Answer(string sql, string? protocolVersion, string version, string timeZone)
    {
        if (sql.Trim().TrimEnd(';') != Statement || !int.TryParse(protocolVersion, out int protocol))
        {
            return null;
        }

        using MemoryStream bytes = new();
        using BinaryWriter block = new(bytes, Encoding.UTF8);
        if (protocol >= BlockInfo)
        {
            block.Write((byte)1);
            block.Write((byte)0); // no overflows
            block.Write((byte)2);
            block.Write(-1); // no bucket
            block.Write((byte)0);
        }

        block.Write((byte)4);
        block.Write((byte)1);
        Column("displayName()", "String", () => block.Write("sketch"));
        Column("version()", "String", () => block.Write(version));
        Column("revision()", "UInt32", () => block.Write(0u));
        Column("timezone()", "String", () => block.Write(timeZone));
        return bytes.ToArray();

        void Column(string name, string type, Action value)
        {
            block.Write(name);
            block.Write(type);
            if (protocol >= CustomByte)
            {
                block.Write((byte)0);
            }

            value();
        }
    }
}
