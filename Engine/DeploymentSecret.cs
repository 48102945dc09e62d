using System.Security.Cryptography;
using Sketch.Engine.Log;

namespace Sketch.Engine;

/// <summary>The secret that keys the sketches: 32 random bytes, made once per data folder, readable by its owner only, never sent anywhere.</summary>
internal static class DeploymentSecret
{
    /// <summary>Its file.</summary>
    public const string FileName = "secret";
    private const int Bytes = 32;

    /// <summary>Reads the secret, or makes it.</summary>
    /// <exception cref="InvalidDataException">The file is of the wrong size.</exception>
    public static byte[] LoadOrCreate(ILogDisk disk, string folder)
    {
        disk.CreateFolder(folder);
        string path = Path.Combine(folder, FileName);
        byte[] secret = new byte[Bytes];
        if (disk.List(folder).Contains(FileName))
        {
            using ILogFile file = disk.Open(path);
            return file.Length == Bytes && file.Read(secret, 0) == Bytes
                ? secret
                : throw new InvalidDataException($"The secret {path} has {file.Length} bytes; allowed: {Bytes}.");
        }

        RandomNumberGenerator.Fill(secret);
        string fresh = path + ".new";
        if (disk.List(folder).Contains(FileName + ".new"))
        {
            disk.Delete(fresh);
        }

        using (ILogFile file = disk.Create(fresh))
        {
            file.Write(secret, 0);
            file.Sync();
        }

        disk.Rename(fresh, path);
        disk.SyncFolder(folder);
        return secret;
    }
}
