namespace Sketch.Tests.Docs;

public class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Sketches"] = [],
        ["Accuracy"] = ["Sketches"],
        ["Engine"] = ["Sketches", "Accuracy"],
        ["Storage"] = ["Engine", "Sketches", "Accuracy"],
        ["Cluster"] = ["Engine", "Sketches", "Accuracy"],
        ["Realtime"] = ["Engine", "Accuracy", "Sketches"],
        ["Client"] = [],
        ["Server"] = ["Sketches", "Accuracy", "Engine", "Storage", "Cluster", "Realtime"],
    };

    public static TheoryData<string> Rooms => [.. RoomNames];

    private static IEnumerable<string> RoomNames => Repository.TopFolders
        .Where(folder => File.Exists(Path.Combine(Repository.Root, folder, folder + ".csproj")));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_references_only_its_neighbours(string room)
    {
        Assert.True(Allowed.ContainsKey(room), $"{room} has no place in the arrows; give it one here and in docs/architecture.md");
        Assert.Subset(Allowed[room].ToHashSet(), Repository.ProjectReferences(room));
    }

    [Fact]
    public void Every_room_is_checked() =>
        Assert.Superset(new HashSet<string> { "Sketches", "Accuracy", "Engine", "Storage", "Realtime", "Client", "Server" }, RoomNames.ToHashSet());

    [Fact]
    public void Only_the_server_has_a_main()
    {
        string[] rooms = [.. Allowed.Keys];
        Assert.Equal(["Server/Program.cs"], Repository.Files("Program.cs").Where(file => rooms.Contains(file.Split(Path.DirectorySeparatorChar)[0])));
    }
}
